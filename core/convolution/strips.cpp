#include "gesso/core/convolution/strips.h"

#include "gesso/core/convolution/winograd/winograd.h"

namespace gesso {

ConvolutionStrips convolution_strips(const ConvolutionShape& whole) {
  ConvolutionStrips strips{automatic_algorithm<float>(whole)};
  if (strips.algorithm == ConvolutionAlgorithm::winograd) {
    const winograd_convolution::StripRows rows = winograd_convolution::strip_rows(whole);
    strips.align = rows.align;
    strips.multiple = rows.multiple;
    strips.beyond = rows.beyond;
  }
  return strips;
}

}  // namespace gesso
