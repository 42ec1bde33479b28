// Winograd's convolutions F(4x4, 3x3) and F(3x3, 4x4): a tile of 4 x 4 results from 36 products for each pair
// of channels instead of 144. The pictures are cut into tiles, which are transformed, multiplied as 36
// products of matrices (tiles by channels), and transformed back. The transforms, and where they come from,
// are in core/convolution/winograd/transforms.h. For float32: the transforms lose two or three bits, an error
// of about 3e-6 of the largest result.
//
// A result is made of the whole tile, not of its window alone. So what is not finite makes every result of the tiles
// that see it NaN, where the formula has a few infinities; a pixel of 1e4 among zeros leaves errors of up to 1e4 * 3e-6
// in its tiles, outside of its window too; and pixels above 3e36 overflow. A check for such pixels would have to read
// the picture once more, for inputs that no training recovers from anyway; ConvolutionAlgorithm::direct computes each
// result from its window alone.
//
// Tiles are worked on in blocks so small that their transforms stay in the second-level cache between the
// three steps. Where the weights are too many for that cache, each block would read all of them again: there
// the transforms of many tiles go to memory, and the products are made one matrix after the other. Arrays and
// formulas: core/convolution/convolution.h.
#pragma once

#include <vector>

#include "gesso/core/convolution/relu_mask.h"
#include "gesso/core/convolution/shape.h"
#include "gesso/core/convolution/winograd/kernels.h"

namespace gesso::winograd_convolution {

/// Whether the shape is one that these functions compute: stride 1, dilation 1, one group. Kernels other than
/// 3x3 become sums of those (core/convolution/winograd/large_kernels.h).
bool can_compute(const ConvolutionShape& shape);

/// Which rows of the result must be computed together for the bits of the whole: see core/convolution/strips.h.
struct StripRows {
  Index align, multiple, beyond;
};
StripRows strip_rows(const ConvolutionShape& shape);

void forward(const ConvolutionShape& shape, const float* x, const float* w, const float* bias,
             const FusedRelu& relu, float* y);

/// A convolution of dy with mirrored, transposed weights.
void input_gradient(const ConvolutionShape& shape, const float* dy, const ReluMask& mask, const float* w,
                    float* dx);

void weight_gradient(const ConvolutionShape& shape, const float* x, const float* dy, const ReluMask& mask,
                     float* dw);

// ---- of shifted copies, for core/convolution/winograd/large_kernels.h

/// Channels that are shifted copies of the `planes` pictures of each sample.
struct Copies {
  Index planes;
  std::vector<winograd::ShiftedCopy> channels;
};

/// The convolution, of 3x3 kernels, of copies of x (null: of x itself) as its channels. Then shape.in is the size of the
/// pictures of x, and the first result reads pixel -padding of each copy.
void forward_of(const ConvolutionShape& shape, const Copies* copies, const float* x, const float* w,
                const float* bias, const FusedRelu& relu, float* y);

/// Its gradient to the weight, where dy too may consist of copies, of pictures of dy_size.
void weight_gradient_of(const ConvolutionShape& shape, Size2d dy_size, const Copies* x_copies, const float* x,
                        const Copies* dy_copies, const float* dy, const ReluMask& mask, float* dw);

}  // namespace gesso::winograd_convolution
