#include "stylize.h"

#include <algorithm>

#include "gesso/autograd/convolution.h"
#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/node.h"
#include "gesso/autograd/padding.h"
#include "gesso/autograd/shape_ops.h"

namespace gesso {

Tensor stylize(StyleNetwork& network, const Tensor& photograph) {
  require(photograph.rank() == 4 && photograph.size(0) == 1 && photograph.size(1) == 3,
          "stylize: the photograph has shape ", photograph.shape(), "; it must be (1, 3, H, W)");
  const NoGradGuard no_grad;
  const std::int64_t height = photograph.size(2), width = photograph.size(3);
  // The network halves twice: multiples of 4 come back with their own size.
  const auto padded = [](std::int64_t size) { return (std::max(size, StyleNetwork::min_size) + 3) / 4 * 4; };
  Tensor input = photograph;
  if (padded(height) != height || padded(width) != width) {
    input = pad2d(photograph, {0, padded(width) - width, 0, padded(height) - height}, PaddingMode::replicate);
  }
  const Tensor output = network(input);
  return clamp(slice(slice(output, 2, 0, height), 3, 0, width), 0, 1);
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
