#include "strip_painting.h"

#include <algorithm>

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/shape_ops.h"
#include "style_network_walk.h"

namespace gesso {
namespace {

// `photograph` painted in its own size: as painted() of stylize.cpp.
int painted(StripGraph& graph, StyleNetwork& network, int photograph) {
  const auto [channels, height, width] = graph.size(photograph);
  const auto padded = [](Index size) { return (std::max(size, StyleNetwork::min_size) + 3) / 4 * 4; };
  int x = graph.canvas(photograph, padded(height), padded(width));
  x = graph.pointwise("noise", {x},
                      [&network, height = padded(height)](const std::vector<Tensor>& strips, Index row) {
                        return network.with_noise(strips[0], row, height);
                      });
  return graph.clip(graph.canvas(walk_style_network(network, graph, x), height, width), 0, 1);
}

}  // namespace

int painted_by_strips(StripGraph& graph, StyleNetwork& network, int photograph, const PaintOptions& options) {
  check_opacity(options.opacity);
  require(graph.size(photograph).channels == 3, "stylize: the photograph has ",
          graph.size(photograph).channels, " channels, not 3");
  const auto [channels, height, width] = graph.size(photograph);
  const auto [rows, columns] = scaled_size(height, width, options.scale);
  if (options.opacity == 0) {
    return photograph;
  }
  int painting =
      options.scale == 1
          ? painted(graph, network, photograph)
          : graph.resize(painted(graph, network, graph.resize(photograph, rows, columns)), height, width);
  if (options.keep_colors) {
    painting = graph.pointwise(
        "colors", {painting, photograph},
        [](const std::vector<Tensor>& strips, Index) { return keep_colors(strips[0], strips[1]); });
  }
  if (options.opacity == 1) {
    return painting;
  }
  return graph.pointwise("opacity", {painting, photograph},
                         [opacity = options.opacity](const std::vector<Tensor>& strips, Index) {
                           return strips[1] + opacity * (strips[0] - strips[1]);
                         });
}

std::function<RowStreamPointer(Index rows)> strips_of(const Tensor& picture) {
  class Stream : public RowStream {
   public:
    Stream(const Tensor& picture, Index rows)
        : RowStream({picture.size(1), picture.size(2), picture.size(3)}), picture_(picture), rows_(rows) {}

    Tensor next() override {
      const Index begin = at_;
      at_ = std::min(size().height, begin + rows_);
      return slice(picture_, 2, begin, at_);
    }

   private:
    Tensor picture_;
    Index rows_, at_ = 0;
  };
  return [picture](Index rows) { return std::make_unique<Stream>(picture, rows); };
}

}  // namespace gesso
