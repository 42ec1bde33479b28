#include "stylize_strips.h"

#include <algorithm>
#include <cmath>
#include <iostream>

#include "gesso/autograd/shape_ops.h"
#include "gesso/core/error.h"
#include "gesso/core/pictures/resize.h"
#include "gesso/core/pictures/rows/picture_row_writer.h"
#include "gesso/training/report/progress.h"
#include "outputs.h"
#include "painting/memory_need.h"
#include "painting/strip_need.h"
#include "painting/strip_painting.h"

namespace gesso {
namespace {

namespace fs = std::filesystem;

// Short side of the copy whose statistics stand for the picture's.
constexpr Index kThumbnail = 512;

// The strips of a picture in a file, from the first row.
class RowsOfFile : public RowStream {
 public:
  RowsOfFile(PictureRows& picture, const PlanesSize& size, Index rows)
      : RowStream(size), picture_(picture), rows_(rows) {
    picture_.rewind();
  }

  Tensor next() override {
    const Index rows = std::min(rows_, size().height - at_);
    at_ += rows;
    return picture_.next(rows, size().channels == 4);
  }

 private:
  PictureRows& picture_;
  Index rows_, at_ = 0;
};

// How many times as large as it is in its file a picture is painted.
struct Ratio {
  Index to = 1, from = 1;
};

// As resize_short_side() rounds.
Size2d scaled(Size2d size, Ratio ratio) {
  const auto side = [&](Index n) {
    return std::max<Index>(1, std::llround(static_cast<double>(n) * static_cast<double>(ratio.to) /
                                           static_cast<double>(ratio.from)));
  };
  return {side(size.height), side(size.width)};
}

// The painting of a picture of 3 channels, or of 4 with transparency, which is scaled by `ratio` first.
int paint(StripGraph& graph, int picture, StyleNetwork& network, Ratio ratio, const PaintOptions& options) {
  int x = picture;
  const auto [channels, height, width] = graph.size(picture);
  const Size2d size = scaled({height, width}, ratio);
  if (ratio.to != ratio.from) {
    x = graph.resize(x, size.height, size.width);
  }
  if (channels == 3) {
    return painted_by_strips(graph, network, x, options);
  }
  return graph.join_channels(painted_by_strips(graph, network, graph.channels(x, 0, 3), options),
                             graph.channels(x, 3, 4));
}

// Whether any pixel is transparent, which all of the picture must be read for.
bool is_transparent(PictureRows& picture) {
  if (!picture.has_alpha()) {
    return false;
  }
  constexpr Index rows = 16;
  picture.rewind();
  for (Index row = 0; row < picture.size().height; row += rows) {
    const Tensor strip = picture.next(std::min(rows, picture.size().height - row), true);
    const Index plane = strip.size(2) * strip.size(3);
    const float* const alpha = strip.data<float>() + 3 * plane;
    if (std::any_of(alpha, alpha + plane, [](float a) { return a < 1; })) {
      return true;
    }
  }
  return false;
}

std::string words_for(Size2d size) { return concat_text(size.width, " x ", size.height, " pixels"); }

// What to do where `need` is more than there is. `need_at` says what the painting takes at another size; its memory grows with
// the width alone, and with what it takes to make the picture smaller.
std::string remedy(Size2d size, const StripNeed& need, double memory,
                   const std::function<StripNeed(Index)>& need_at) {
  const Index shorter = std::min(size.height, size.width);
  double room = std::max(0.0, memory - need.fixed) / (need.memory - need.fixed);
  for (int tries = 0; tries < 4; ++tries, room *= 0.8) {
    const auto side = static_cast<Index>(0.95 * room * static_cast<double>(shorter));
    if (side < 8) {
      break;
    }
    if (need_at(side).memory <= memory) {
      return concat_text("; --size ", side, " fits");
    }
  }
  return concat_text("; the smallest picture takes ", gigabytes(need.fixed));
}

// Runs the network on a small copy of the picture, whose statistics `graph` takes over.
void adopt_statistics(StripGraph& graph, PictureRows& file, const PlanesSize& size, StyleNetwork& network,
                      Ratio ratio, const PaintOptions& options, const StripOptions& strips) {
  // So that what is painted has that short side.
  const Index shorter = std::min(size.height, size.width);
  const Ratio shrink{std::min(shorter, std::max<Index>(1, kThumbnail * ratio.from / ratio.to)), shorter};
  const Size2d small = scaled({size.height, size.width}, shrink);
  StripGraph shrinking;
  const int original =
      shrinking.input(size, [&](Index rows) { return std::make_unique<RowsOfFile>(file, size, rows); });
  const int y = shrinking.resize(original, small.height, small.width);
  std::vector<Tensor> rows;
  shrinking.run(y, strips, [&](const Tensor& strip) { rows.push_back(strip); });
  const Tensor copy = concat(rows, 2);
  StripGraph of_copy;
  const int painted =
      paint(of_copy, of_copy.input({size.channels, small.height, small.width}, strips_of(copy)), network,
            ratio, options);
  of_copy.run(painted, strips, [](const Tensor&) {});
  graph.adopt_measures(of_copy);
}

}  // namespace

void repaint_by_strips(StyleNetwork& network, const StripTask& task) {
  const std::string name = task.from.string();
  // A JPEG file is decoded whole where that leaves as much for the strips: to the same pixels as without strips.
  const double for_jpeg = task.memory / 2;
  const PictureRowsFacts facts = look_at_picture(name, strip_load_options, for_jpeg);
  const Ratio ratio =
      task.size == 0 ? Ratio() : Ratio{task.size, std::min(facts.size.height, facts.size.width)};
  const Size2d painted = scaled(facts.size, ratio);
  const std::string ending = ending_of(task.to);
  const bool keeps_alpha = ending == ".png" || ending == ".webp";
  const double held = facts.memory + memory_of_picture_writer(task.to.string(), painted, keeps_alpha ? 4 : 3);
  if (held > task.memory) {
    throw FileError(concat_text(name, ": ", words_for(facts.size), " take ", gigabytes(held),
                                " of memory, and there are ", gigabytes(task.memory),
                                facts.memory > 0
                                    ? "; PPM, PNG without interlacing and plain JPEG files are read by rows"
                                    : "; PNG, JPEG and PPM files are written by rows"));
  }
  const auto file = open_picture_rows(name, strip_load_options, for_jpeg);
  const bool alpha = keeps_alpha && is_transparent(*file);
  const PlanesSize size{alpha ? 4 : 3, facts.size.height, facts.size.width};
  const fs::path folder = fs::absolute(task.to).parent_path();
  fs::path there = folder;  // what of it exists: a refusal makes no folder
  while (!fs::exists(there) && there.has_relative_path()) {
    there = there.parent_path();
  }
  const auto painting_at = [&](Ratio at) -> StripPainting {
    return [&network, &task, at](StripGraph& graph, int picture) {
      return paint(graph, picture, network, at, task.paint);
    };
  };
  const StripPainting painting = painting_at(ratio);
  const StripResources resources{task.memory - held, there, 0.95 * free_disk(there),
                                 task.thumbnail_statistics};
  const StripNeed need = strip_need(painting, size, resources);
  if (need.memory > resources.memory) {
    const auto need_at = [&](Index side) {
      return strip_need(painting_at({side, std::min(facts.size.height, facts.size.width)}), size, resources);
    };
    throw FileError(concat_text(name, ": ", words_for(facts.size), " take ", gigabytes(held + need.memory),
                                " of memory to repaint, by strips of ", need.options.rows,
                                " rows, and there are ", gigabytes(task.memory),
                                remedy(facts.size, need, resources.memory, need_at)));
  }
  StripGraph graph;
  const int y = painting(
      graph, graph.input(size, [&](Index rows) { return std::make_unique<RowsOfFile>(*file, size, rows); }));
  StripOptions options = need.options;
  fs::create_directories(folder);
  options.folder = folder;
  if (task.thumbnail_statistics) {
    adopt_statistics(graph, *file, size, network, ratio, task.paint, options);
  }
  std::cerr << name << ": " << words_for(facts.size) << " by strips of " << options.rows << " rows, in about "
            << gigabytes(held + need.memory) << " of memory";
  if (need.disk > 0) {
    std::cerr << " and " << gigabytes(need.disk) << " of disk beside the painting";
  }
  std::cerr << ", in about " << ProgressBar::duration(need.seconds) << "\n";
  constexpr Index steps = 100;
  ProgressBar progress("Strips", steps);
  options.progress = [&](double share) { progress.update(static_cast<Index>(share * (steps - 1))); };
  std::unique_ptr<PictureRowWriter> writer;
  graph.run(y, options, [&](const Tensor& strip) {
    if (!writer) {  // the first file beside the painting is there from now on
      writer = begin_picture(task.to.string(), {graph.size(y).height, graph.size(y).width}, alpha ? 4 : 3);
    }
    writer->write(strip);
  });
  writer->finish();
  progress.update(steps);
  progress.finish();
}

}  // namespace gesso
