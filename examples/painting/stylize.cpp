#include "stylize.h"

#include <algorithm>
#include <cmath>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/autograd/padding.h"
#include "gesso/autograd/shape_ops.h"
#include "gesso/core/pictures/resize.h"
#include "memory_need.h"

namespace gesso {
namespace {

// `photograph` painted in its own size.
Tensor painted(StyleNetwork& network, const Tensor& photograph) {
  const Index height = photograph.size(2), width = photograph.size(3);
  // The network halves twice: multiples of 4 come back with their own size.
  const auto padded = [](Index size) { return (std::max(size, StyleNetwork::min_size) + 3) / 4 * 4; };
  Tensor input = photograph;
  if (padded(height) != height || padded(width) != width) {
    input = pad2d(photograph, {0, padded(width) - width, 0, padded(height) - height}, PaddingMode::replicate);
  }
  const Tensor output = network(input);
  return clamp(slice(slice(output, 2, 0, height), 3, 0, width), 0, 1);
}

}  // namespace

std::pair<Index, Index> scaled_size(Index height, Index width, double scale) {
  require(scale > 0 && std::isfinite(scale), "stylize: the scale is ", scale, "; it must be above 0");
  const double pixels = static_cast<double>(height) * static_cast<double>(width);
  const double most = static_cast<double>(max_scaled_pixels);
  require(scale <= 1 || scale * scale * pixels <= most, "stylize: at scale ", scale, " the picture of ",
          width, " x ", height, " would be painted with more than ", max_scaled_pixels / 1'000'000,
          " million pixels; choose a scale of at most ",
          std::max(1.0, std::floor(100 * std::sqrt(most / pixels)) / 100));
  const auto scaled = [&](Index size) {
    return std::max<Index>(1, std::llround(scale * static_cast<double>(size)));
  };
  return {scaled(height), scaled(width)};
}

void check_opacity(double opacity) {
  require(opacity >= 0 && opacity <= 1, "stylize: the opacity is ", opacity, "; it must be from 0 to 1");
}

Tensor stylize(StyleNetwork& network, const Tensor& photograph, const PaintOptions& options) {
  require(photograph.rank() == 4 && photograph.size(0) == 1 && photograph.size(1) == 3,
          "stylize: the photograph has shape ", photograph.shape(), "; it must be (1, 3, H, W)");
  check_opacity(options.opacity);
  const NoGradGuard no_grad;
  const Index height = photograph.size(2), width = photograph.size(3);
  const auto [rows, columns] = scaled_size(height, width, options.scale);
  if (options.opacity == 0) {
    return photograph;
  }
  Tensor painting =
      options.scale == 1
          ? painted(network, photograph)
          : resize_picture(painted(network, resize_picture(photograph, rows, columns)), height, width);
  if (options.keep_colors) {
    painting = keep_colors(painting, photograph);
  }
  return options.opacity == 1 ? painting : photograph + options.opacity * (painting - photograph);
}

double opacity_for(double strength, bool learned) { return std::min(1.0, learned ? 2 * strength : strength); }

double bytes_per_pixel(StyleNetwork& network) {
  constexpr Index side = 256;
  const Tensor photograph = Tensor::full({1, 3, side, side}, 0.5);
  return peak_memory_of([&] { stylize(network, photograph); }) / (side * side);
}

double memory_for_painting(double loaded, double painted, double per_pixel) {
  // Decoding and the decoded picture; the painting, its bytes and the file made of them. What the memory pool keeps for
  // tensors of other sizes is up to half of what they take.
  constexpr double of_loading = 24, of_saving = 32, kept = 1.5;
  return of_loading * loaded + (of_saving + kept * per_pixel) * painted;
}

// Colours are told from brightness as in television (ITU-R BT.601): adding a difference of brightness to all
// three of red, green and blue leaves their differences, the colour, as they are.
Tensor keep_colors(const Tensor& painted, const Tensor& photograph) {
  require(painted.shape() == photograph.shape(), "keep_colors: pictures of shapes ", painted.shape(), " and ",
          photograph.shape());
  const NoGradGuard no_grad;
  const Tensor weights = Tensor::from({0.299, 0.587, 0.114}, {1, 3, 1, 1}, painted.dtype());
  const Tensor difference = conv2d(painted - photograph, weights, {});
  return clamp(photograph + difference, 0, 1);
}

}  // namespace gesso
