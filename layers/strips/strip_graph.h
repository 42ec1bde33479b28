// Networks over pictures that no memory holds, exactly: strip by strip of rows, the statistics of every normalization
// found over the whole picture, layer by layer.
//
// A normalization by a picture's own statistics (instance norm) needs all of the picture before it can give
// its first row. So the picture goes by once for each of them: a pass computes what the layer gets, gathers
// its statistics, and keeps what it got in a file without a name, if to compute it again would take longer
// (StripOptions::transfer). Beside that a pass holds a few strips for each layer. Results are those of the
// network itself, bit for bit (but see core/convolution/strips.h), whatever the height of the strips.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gesso/layers/strips/operations.h"
#include "gesso/layers/strips/row_stream.h"
#include "gesso/layers/strips/strip_schedule.h"

namespace gesso {

struct StripOptions {
  Index rows = 32;  ///< of a strip, at every size inside the network; a multiple of 4
  /// In the time of so many products a number goes to the file or comes back from it. 0: everything is kept
  /// that is used again, infinity: nothing is.
  double transfer = 500;
  std::filesystem::path folder = {};  ///< where the file is
  /// Called now and then with the share of the work that is done, 0 to 1. What it throws ends the run.
  std::function<void(double)> progress = {};
};

/// What a run will do.
struct StripPlan {
  double products = 0;     ///< multiplications, in all passes
  double disk = 0;         ///< most bytes in the file at one time
  double transferred = 0;  ///< bytes that are written to it and read from it
  int passes = 0;          ///< how often the picture goes by, whole or as what was kept of it
};

/// A network on pictures of one size, operation by operation. Values are known by numbers, which each function gives.
///
///     std::function<RowStreamPointer(Index rows)> photograph;  // opens a file
///     StripGraph graph;
///     const int picture = graph.input({3, 30000, 40000}, photograph);
///     const int y = graph.layer(net, picture);
///     graph.run(y, {.rows = 16}, [](const Tensor& strip) { std::cout << strip.shape(); });
///
/// Modules must outlive it, in evaluation mode and as they are. Functions throw ArgumentError for sizes that
/// do not fit.
class StripGraph {
 public:
  StripGraph();
  ~StripGraph();
  StripGraph(const StripGraph&) = delete;
  StripGraph& operator=(const StripGraph&) = delete;

  /// A picture of this size; `open` gives it from its first row on, in strips of so many rows, each time that
  /// it goes by.
  int input(const PlanesSize& size, std::function<RowStreamPointer(Index rows)> open);

  /// What a layer computes of `x`: Conv2d, ReLU, Upsample by nearest neighbours, the normalizations but LayerNorm and
  /// RMSNorm, Sequential of these. Throws ArgumentError, naming the layer, for another.
  int layer(Module& module, int x);
  int add(int x, int y);
  /// factor x + shift
  int affine(int x, double factor, double shift);
  int clip(int x, double low, double high);
  int upsample_nearest(int x, Index scale);
  /// upsample_conv2d() (autograd/upsampled_convolution.h) with the layer's parameters.
  int upsample_conv(const Conv2d& layer, int x);
  /// resize_picture() (core/pictures/resize.h)
  int resize(int x, Index height, Index width);
  /// Rows and columns more (their border repeated) or fewer, at the bottom and right.
  int canvas(int x, Index height, Index width);
  /// `compute` of the same strip of all of `x`, which have one size, and the number of its first row.
  int pointwise(const std::string& name, const std::vector<int>& x,
                std::function<Tensor(const std::vector<Tensor>& strips, Index first_row)> compute);

  /// Channels begin <= c < end of x.
  int channels(int x, Index begin, Index end);
  /// The channels of x, then those of y.
  int join_channels(int x, int y);

  const PlanesSize& size(int x) const;

  /// For the statistics of a small copy of the picture in place of its own: those of `of_copy`, the same
  /// network on that copy, which has run. The picture then goes by once.
  void adopt_measures(const StripGraph& of_copy);

  /// What run() will do. Reads nothing.
  StripPlan plan(int y, const StripOptions& options) const;
  /// Computes y and calls `take` with one strip after the other. Throws what the input's streams and `take` throw;
  /// FileError when the file cannot be written.
  void run(int y, const StripOptions& options, const std::function<void(const Tensor& strip)>& take);

 private:
  struct Node;
  class Passes;

  int put(std::unique_ptr<StripOperation> operation, const std::vector<int>& inputs);
  std::vector<StripNode> scheduled() const;
  std::vector<Node> nodes_;
};

}  // namespace gesso
