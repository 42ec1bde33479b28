// The default loss network: the filter bank for strokes and colours, a trained stack for what they build.
#pragma once

#include <algorithm>
#include <vector>

#include "filter_bank.h"
#include "loss_network.h"
#include "trained_stack.h"

namespace gesso {

/// Style: the taps of both, the stack's being all its stages on the picture and on half its size. The stack
/// alone lets a style network get away with stripes, which the bank's orientations tell from strokes.
/// Content: the filter bank's, which leaves colours free.
class Combined : public LossNetwork {
 public:
  /// `stack` as TrainedStack takes it. Throws ArgumentError as that does.
  explicit Combined(const NamedTensors& stack);

  std::vector<Tap> taps(const Tensor& pictures) const override;
  std::vector<Tensor> content(const Tensor& pictures) const override { return bank_.content(pictures); }
  Index min_size() const override { return std::max(bank_.min_size(), stack_.min_size()); }

 private:
  FilterBank bank_;
  TrainedStack stack_;
};

}  // namespace gesso
