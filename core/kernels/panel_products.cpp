#include "gesso/core/kernels/panel_products.h"

#include <algorithm>
#include <type_traits>

#include "gesso/core/simd/vector.h"

#define GESSO_ISA_SOURCE "gesso/core/kernels/panel_products_isa.h"
#include "gesso/core/simd/for_each_isa.h"

namespace gesso {

template <class T>
const PanelKernels<T>& panel_kernels() {
  return GESSO_BEST_ISA(kKernels<T>);
}

template const PanelKernels<float>& panel_kernels();
template const PanelKernels<double>& panel_kernels();

}  // namespace gesso
