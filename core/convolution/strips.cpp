#include "gesso/core/convolution/strips.h"

#include "gesso/core/convolution/winograd/kernels.h"
#include "gesso/core/convolution/winograd/large_kernels.h"

namespace gesso {

ConvolutionStrips convolution_strips(const ConvolutionShape& whole) {
  ConvolutionStrips strips{automatic_algorithm<float>(whole)};
  if (strips.algorithm != ConvolutionAlgorithm::winograd) {
    return strips;
  }
  using winograd::kTile, winograd_convolution::large_kernels::rows_beyond_result;
  const Index more = whole.kernel == 3 ? 0 : rows_beyond_result(whole);
  strips.align = kTile;
  // Copies of x end where the result does, in a strip as in the whole.
  strips.multiple = whole.kernel == 3 || more > 0 ? kTile : 1;
  strips.beyond = divide_up(more, kTile) * kTile - more;
  return strips;
}

}  // namespace gesso
