#include "gesso/core/kernels/gemm.h"

#include <cblas.h>

#include <algorithm>
#include <climits>

#include "gesso/core/error.h"
#include "gesso/core/kernels/openblas.h"
#include "gesso/core/parallel.h"

namespace gesso {
namespace {

void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, float alpha, const float* a, int lda,
          const float* b, int ldb, float beta, float* c, int ldc) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

void call(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha, const double* a, int lda,
          const double* b, int ldb, double beta, double* c, int ldc) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
}

}  // namespace

template <class T>
void gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a, Index lda,
          const T* b, Index ldb, T beta, T* c, Index ldc) {
  if (m == 0 || n == 0) {
    return;
  }
  require(
      std::max({m, n, k, lda, ldb, ldc}) <= INT_MAX, "gemm: a product of (", m, ", ", k, ") and (", k, ", ",
      n, ") is too large for OpenBLAS, which counts rows and columns with 32 bits; cut it into smaller ones");
  prepare_openblas();
  // BLAS wants leading dimensions of at least 1 even where there is nothing to read.
  const auto at_least_one = [](Index stride) { return static_cast<int>(std::max<Index>(stride, 1)); };
  call(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(m),
       static_cast<int>(n), static_cast<int>(k), alpha, a, at_least_one(lda), b, at_least_one(ldb), beta, c,
       at_least_one(ldc));
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
