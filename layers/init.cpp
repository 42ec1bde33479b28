#include "gesso/layers/init.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "gesso/core/error.h"

namespace gesso::init {
namespace {

double kaiming_deviation(const Tensor& tensor, const KaimingOptions& options) {
  const Fans f = fans(tensor.shape());
  const double fan = static_cast<double>(options.mode == FanMode::in ? f.in : f.out);
  return std::sqrt(2 / (1 + options.a * options.a) / std::max(1.0, fan));
}

double xavier_deviation(const Tensor& tensor, double gain) {
  const Fans f = fans(tensor.shape());
  return gain * std::sqrt(2 / std::max(1.0, static_cast<double>(f.in + f.out)));
}

// Uniform numbers of the given standard deviation, which is the bound / sqrt(3).
void spread_uniform(Tensor tensor, Generator& rng, double deviation) {
  const double bound = std::sqrt(3.0) * deviation;
  uniform_(tensor, rng, -bound, bound);
}

double dot(const double* a, const double* b, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) {
    sum += a[i] * b[i];
  }
  return sum;
}

}  // namespace

Fans fans(const Shape& shape) {
  require(shape.rank() >= 2, "init: a weight of shape ", shape,
          " has no fan_in and fan_out; it needs at least two dimensions");
  const Index field = shape.numel(2, shape.rank());
  return {shape[1] * field, shape[0] * field};
}

void uniform_(Tensor tensor, Generator& rng, double low, double high) {
  with_dtype(tensor.dtype(), [&]<class T>() {
    rng.fill_uniform(tensor.mutable_data<T>("init::uniform_"), tensor.numel(), low, high);
  });
}

void normal_(Tensor tensor, Generator& rng, double mean, double deviation) {
  with_dtype(tensor.dtype(), [&]<class T>() {
    T* values = tensor.mutable_data<T>("init::normal_");
    rng.fill_normal(values, tensor.numel());
    for (Index i = 0; i < tensor.numel(); ++i) {
      values[i] = static_cast<T>(mean + deviation * values[i]);
    }
  });
}

void kaiming_uniform_(Tensor tensor, Generator& rng, const KaimingOptions& options) {
  spread_uniform(tensor, rng, kaiming_deviation(tensor, options));
}

void kaiming_normal_(Tensor tensor, Generator& rng, const KaimingOptions& options) {
  normal_(tensor, rng, 0, kaiming_deviation(tensor, options));
}

void xavier_uniform_(Tensor tensor, Generator& rng, double gain) {
  spread_uniform(tensor, rng, xavier_deviation(tensor, gain));
}

void xavier_normal_(Tensor tensor, Generator& rng, double gain) {
  normal_(tensor, rng, 0, xavier_deviation(tensor, gain));
}

void orthogonal_(Tensor tensor, Generator& rng, double gain) {
  require(tensor.rank() >= 2, "init::orthogonal_: a tensor of shape ", tensor.shape(),
          " is not a matrix; it needs at least two dimensions");
  if (tensor.numel() == 0) {
    return;
  }
  const Index rows = tensor.size(0), columns = tensor.numel() / rows;
  const bool by_row = rows <= columns;  // which are the orthonormal vectors
  const Index count = std::min(rows, columns), length = std::max(rows, columns);

  // Gram-Schmidt on normal vectors, which is the QR decomposition with a positive diagonal of R. Each vector
  // is projected twice: what rounding leaves of the others after the first time goes in the second.
  std::vector<double> basis(count * length);
  for (Index i = 0; i < count; ++i) {
    double* v = basis.data() + i * length;
    double before = 0, norm = 0;
    do {
      rng.fill_normal(v, length);
      before = std::sqrt(dot(v, v, length));
      for (int time = 0; time < 2; ++time) {
        for (Index j = 0; j < i; ++j) {
          const double* u = basis.data() + j * length;
          const double along = dot(u, v, length);
          for (Index k = 0; k < length; ++k) {
            v[k] -= along * u[k];
          }
        }
      }
      norm = std::sqrt(dot(v, v, length));
    } while (!(norm > 1e-10 * before));  // within rounding of the span of the others: draw again
    for (Index k = 0; k < length; ++k) {
      v[k] /= norm;
    }
  }
  with_dtype(tensor.dtype(), [&]<class T>() {
    T* values = tensor.mutable_data<T>("init::orthogonal_");
    for (Index r = 0; r < rows; ++r) {
      for (Index c = 0; c < columns; ++c) {
        const double q = by_row ? basis[r * length + c] : basis[c * length + r];
        values[r * columns + c] = static_cast<T>(gain * q);
      }
    }
  });
}

void default_layer_(Tensor weight, Tensor bias, Generator& rng) {
  const double fan_in = static_cast<double>(std::max<Index>(1, fans(weight.shape()).in));
  kaiming_uniform_(weight, rng, {.a = std::sqrt(5.0)});  // sqrt(3) sqrt(2 / 6 / fan_in): 1 / sqrt(fan_in)
  if (bias.defined()) {
    uniform_(bias, rng, -1 / std::sqrt(fan_in), 1 / std::sqrt(fan_in));
  }
}

}  // namespace gesso::init
