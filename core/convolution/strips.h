// A convolution whose picture is too large for the memory: how its result can be computed a strip of rows at a time, with
// the bits of the whole.
#pragma once

#include "gesso/core/convolution/convolution.h"

namespace gesso {

/// What a strip must keep to. Each number of a result is a sum in one order, whichever rows are computed with it, as long
/// as the algorithm is that of the whole and a tile of Winograd's reads the rows that it reads there.
struct ConvolutionStrips {
  ConvolutionAlgorithm algorithm;  ///< what `automatic` means for the whole
  Index align = 1;                 ///< strips begin at a multiple of so many rows of the result
  /// A strip computes a multiple of so many rows and `beyond` more, which are dropped: tiles at its end read what they read
  /// in the whole then.
  Index multiple = 1, beyond = 0;

  /// How many rows to compute for `rows` of them.
  Index rows_to_compute(Index rows) const { return divide_up(rows, multiple) * multiple + beyond; }
};

/// For a float32 convolution of this shape. Where the algorithm is im2col (results of fewer than 256 pixels, and more than
/// 280 channels with a stride) they are equal up to rounding.
ConvolutionStrips convolution_strips(const ConvolutionShape& whole);

}  // namespace gesso
