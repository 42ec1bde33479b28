// What it takes to paint a picture by strips, known before it starts.
#pragma once

#include <filesystem>
#include <functional>

#include "gesso/core/size2d.h"
#include "gesso/layers/strips/strip_graph.h"

namespace gesso {

/// Puts a painting into a graph, of a picture of a size, and returns its value. `picture` is the value of the picture.
using StripPainting = std::function<int(StripGraph& graph, int picture)>;

/// How to run a graph, and what that takes.
struct StripNeed {
  StripOptions options;
  double memory = 0;        ///< bytes, of tensors and what the program takes beside them
  double fixed = 0;         ///< those of them that a picture without width would take
  double disk = 0;          ///< bytes
  double disk_at_best = 0;  ///< bytes that the quickest way takes, which is `disk` unless there are fewer
  double seconds = 0;       ///< about
};

struct StripResources {
  double memory = 0;             ///< bytes that there are
  std::filesystem::path folder;  ///< for what is kept between passes
  double disk = 0;               ///< bytes that are free there
  bool one_pass = false;         ///< what is measured comes from elsewhere: see StripGraph::adopt_measures()
};

/// The quickest way to run the graph of `painting` on a picture of this size within `resources`; what it takes is measured
/// with small pictures. If there is none, the way that takes least: then its memory is more than there is.
StripNeed strip_need(const StripPainting& painting, const PlanesSize& picture,
                     const StripResources& resources);

/// Bytes of free disk for files in `folder`.
double free_disk(const std::filesystem::path& folder);

}  // namespace gesso
