#include "combined.h"

namespace gesso {

Combined::Combined(const NamedTensors& stack) : stack_(stack, {.content_stage = 0, .scales = 2}) {}

std::vector<Tap> Combined::taps(const Tensor& pictures) const {
  std::vector<Tap> all = bank_.taps(pictures);
  for (Tap& tap : stack_.taps(pictures)) {
    all.push_back(std::move(tap));
  }
  return all;
}

}  // namespace gesso
