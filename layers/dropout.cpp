#include "gesso/layers/dropout.h"

namespace gesso {

Dropout::Dropout(double p, Generator& rng) : p_(p), rng_(rng) {
  require(p >= 0 && p <= 1, "Dropout: p is ", p, "; it is a probability, from 0 to 1");
}

Tensor Dropout::forward(const Tensor& x) { return is_training() ? dropout(x, p_, rng_) : x; }

Tensor Dropout2d::forward(const Tensor& x) { return is_training() ? dropout2d(x, p_, rng_) : x; }

}  // namespace gesso
