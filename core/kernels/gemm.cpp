#include "gesso/core/kernels/gemm.h"

#include <algorithm>
#include <climits>

#include "gesso/core/error.h"
#include "gesso/core/kernels/blas.h"
#include "gesso/core/parallel.h"

namespace gesso {
template <class T>
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a, Index lda,
          const T* b, Index ldb, T beta, T* c, Index ldc) {
  if (m == 0 || n == 0) {
    return;
  }
  require(
      std::max({m, n, k, lda, ldb, ldc}) <= INT_MAX, "gemm: a product of (", m, ", ", k, ") and (", k, ", ",
      n,
      ") is too large for a BLAS library, which counts rows and columns with 32 bits; cut it into smaller ones");
  blas_gemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

template <class T>
void parallel_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a,
                   Index lda, const T* b, Index ldb, T beta, T* c, Index ldc) {
  constexpr Index block = 192;  // rows and columns of one block of c
  const Index column_blocks = (n + block - 1) / block;
  const Index row_blocks = (m + block - 1) / block;
  parallel_for(row_blocks * column_blocks, 1, [&](Index task, Index) {
    const Index i = task / column_blocks * block;
    const Index j = task % column_blocks * block;
    gemm<T>(transpose_a, transpose_b, std::min(block, m - i), std::min(block, n - j), k, alpha,
            a + (transpose_a ? i : i * lda), lda, b + (transpose_b ? j * ldb : j), ldb, beta, c + i * ldc + j,
            ldc);
  });
}

template void gemm(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index, float,
                   float*, Index);
template void gemm(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index,
                   double, double*, Index);
template void parallel_gemm(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index,
                            float, float*, Index);
template void parallel_gemm(bool, bool, Index, Index, Index, double, const double*, Index, const double*,
                            Index, double, double*, Index);

}  // namespace gesso
