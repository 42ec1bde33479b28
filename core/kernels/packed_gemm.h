// Matrix products by gesso's own kernels (panel_products.h), for builds without a BLAS library.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// gemm() of core/kernels/gemm.h. Both factors are copied, block by block, into the order in which the kernels read
/// them.
template <class T>
void packed_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a,
                 Index lda, const T* b, Index ldb, T beta, T* c, Index ldc);

}  // namespace gesso
