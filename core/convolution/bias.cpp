#include "gesso/core/convolution/bias.h"

#include "gesso/core/parallel.h"
#include "gesso/core/simd/clones.h"

namespace gesso {
namespace {

template <class T>
GESSO_SIMD void add_constant(T* x, Index n, T constant) {
  for (Index i = 0; i < n; ++i) x[i] += constant;
}

// The sum of `n` numbers in 16 interleaved partial sums, which the compiler can keep in vector registers.
template <class T>
GESSO_SIMD T sum(const T* x, Index n) {
  constexpr int lanes = 16;
  T lane[lanes] = {};
  Index i = 0;
  for (; i + lanes <= n; i += lanes) {
    for (int l = 0; l < lanes; ++l) lane[l] += x[i + l];
  }
  T total{0};
  for (; i < n; ++i) total += x[i];
  for (int l = 0; l < lanes; ++l) total += lane[l];
  return total;
}

}  // namespace

template <class T>
void add_bias(Index batch, Index channels, Index pixels, const T* bias, T* y) {
  parallel_for(batch * channels, 1,
               [&](Index plane, Index) { add_constant(y + plane * pixels, pixels, bias[plane % channels]); });
}

template <class T>
void bias_gradient(Index batch, Index channels, Index pixels, const T* dy, T* db) {
  parallel_for(channels, 1, [&](Index c, Index) {
    T total{0};
    for (Index n = 0; n < batch; ++n) {
      total += sum(dy + (n * channels + c) * pixels, pixels);
    }
    db[c] = total;
  });
}

template void add_bias(Index, Index, Index, const float*, float*);
template void add_bias(Index, Index, Index, const double*, double*);
template void bias_gradient(Index, Index, Index, const float*, float*);
template void bias_gradient(Index, Index, Index, const double*, double*);

}  // namespace gesso
