// The sizes of a two-dimensional convolution, whose formula is in core/convolution/convolution.h.
#pragma once

#include "gesso/core/index.h"
#include "gesso/core/padding_mode.h"
#include "gesso/core/size2d.h"

namespace gesso {

struct ConvolutionShape {
  Index batch = 1;
  Index in_channels = 1;   ///< a multiple of groups
  Index out_channels = 1;  ///< a multiple of groups
  Index groups = 1;
  Size2d in = 1;   ///< of a picture of x
  Size2d out = 1;  ///< of a picture of y: see convolution_output_size()
  Size2d kernel = 1;
  Size2d stride = 1;
  Size2d padding = 0;  ///< rows above and below, columns left and right
  Size2d dilation = 1;
  PaddingMode padding_mode = PaddingMode::zeros;  ///< reflect: with padding smaller than `in`
  /// Samples of the batch that this one is a part of; 0: it is the whole. Each sample's results are then the same bits in
  /// whichever part: everything is chosen for the whole, and no loop goes on from one sample to the next.
  Index whole_batch = 0;

  /// What a choice that depends on the batch goes by.
  Index batch_to_plan_for() const { return whole_batch > 0 ? whole_batch : batch; }

  Index group_in() const { return in_channels / groups; }    ///< input channels of one group
  Index group_out() const { return out_channels / groups; }  ///< result channels of one group
  Index in_pixels() const { return in.height * in.width; }
  Index out_pixels() const { return out.height * out.width; }
  Index taps() const { return kernel.height * kernel.width; }
  /// Numbers of x that one number of y is a weighted sum of: the length of a row of the weight.
  Index fan_in() const { return group_in() * taps(); }
};

/// floor((in + 2 padding - dilation (kernel - 1) - 1) / stride) + 1 in each dimension; 0 when the kernel is
/// larger than the padded picture.
inline Size2d convolution_output_size(Size2d in, Size2d kernel, Size2d stride, Size2d padding,
                                      Size2d dilation) {
  const auto size = [](Index n, Index taps, Index step, Index around, Index apart) {
    const Index room = n + 2 * around - apart * (taps - 1) - 1;  // for the kernel to move in
    return room < 0 ? 0 : room / step + 1;
  };
  return {size(in.height, kernel.height, stride.height, padding.height, dilation.height),
          size(in.width, kernel.width, stride.width, padding.width, dilation.width)};
}

}  // namespace gesso
