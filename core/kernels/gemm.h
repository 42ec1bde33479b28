// Matrix products by a BLAS library or, without one, by gesso's own (blas.h), for float and double.
#pragma once

#include "gesso/core/index.h"

namespace gesso {

/// c = alpha op(a) op(b) + beta c on the calling thread, row-major: op(a) is (m, k), op(b) is (k, n), c is
/// (m, n); op(a) = a, stored with rows of `lda` elements, or its transpose when `transpose_a`, and the same
/// for b. With beta 0, c may hold anything. Throws ArgumentError for sizes of 2^31 and more.
template <class T>
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a, Index lda,
          const T* b, Index ldb, T beta, T* c, Index ldc);

/// The same product in parallel, c cut into fixed blocks. For one large product; inside a parallel loop use
/// gemm().
template <class T>
void parallel_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a,
                   Index lda, const T* b, Index ldb, T beta, T* c, Index ldc);

}  // namespace gesso
