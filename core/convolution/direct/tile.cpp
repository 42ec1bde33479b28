#include "gesso/core/convolution/direct/tile.h"

#include <algorithm>
#include <array>
#include <utility>

#include "gesso/core/simd/vector.h"

#define GESSO_ISA_SOURCE "gesso/core/convolution/direct/tile_isa.h"
#include "gesso/core/simd/for_each_isa.h"

namespace gesso {

template <class T>
CorrelateKernel<T> correlate_kernel(Index channels) {
  return GESSO_BEST_ISA(correlate_kernel_for<T>(channels));
}

template <class T>
ProductSumKernel<T> product_sum_kernel(Index channels) {
  return GESSO_BEST_ISA(product_sum_kernel_for<T>(channels));
}

template <class T>
OuterProductKernel<T> outer_product_kernel(Index channels) {
  return GESSO_BEST_ISA(outer_product_kernel_for<T>(channels));
}

template CorrelateKernel<float> correlate_kernel(Index);
template CorrelateKernel<double> correlate_kernel(Index);
template ProductSumKernel<float> product_sum_kernel(Index);
template ProductSumKernel<double> product_sum_kernel(Index);
template OuterProductKernel<float> outer_product_kernel(Index);
template OuterProductKernel<double> outer_product_kernel(Index);

}  // namespace gesso
