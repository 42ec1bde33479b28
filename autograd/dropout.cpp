#include "gesso/autograd/dropout.h"

#include "gesso/autograd/elementwise.h"
#include "gesso/autograd/graph.h"
#include "gesso/core/planes.h"

namespace gesso {
namespace {

// What numbers of x are multiplied by: 0 with the probability p, else 1 / (1 - p).
Tensor draw_mask(const Shape& shape, DType dtype, double p, Generator& rng, const char* operation) {
  require(p >= 0 && p <= 1, operation, ": p is ", p, "; it is a probability, from 0 to 1");
  const double kept = p == 1 ? 0 : 1 / (1 - p);
  return map_elements(Tensor::uniform(shape, rng, 0, 1, float64),
                      [=](auto v) { return static_cast<decltype(v)>(v < p ? 0 : kept); })
      .to(dtype);
}

// y = m x, so dx = m dy
Tensor times_mask(const char* operation, const Tensor& x, const Tensor& mask) {
  return record(operation, mul(x.detach(), mask), {x}, [mask = save(mask)](const Tensor& dy, Gradients& d) {
    d(0, [&] { return mul(dy, mask()); });
  });
}

}  // namespace

Tensor dropout(const Tensor& x, double p, Generator& rng) {
  require_defined(x, "dropout", "x");
  return times_mask("dropout", x, draw_mask(x.shape(), x.dtype(), p, rng, "dropout"));
}

Tensor dropout2d(const Tensor& x, double p, Generator& rng) {
  planes_of(x, "dropout2d");  // checks the rank
  return times_mask("dropout2d", x,
                    draw_mask(with_plane_size(x.shape(), 1, 1), x.dtype(), p, rng, "dropout2d"));
}

}  // namespace gesso
