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
void gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k, T alpha,
          const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c, std::int64_t ldc) {
  if (m == 0 || n == 0) {
    return;
  }
  require(
      std::max({m, n, k, lda, ldb, ldc}) <= INT_MAX, "gemm: a product of (", m, ", ", k, ") and (", k, ", ",
      n, ") is too large for OpenBLAS, which counts rows and columns with 32 bits; cut it into smaller ones");
  prepare_openblas();
  // BLAS wants leading dimensions of at least 1 even where there is nothing to read.
  const auto at_least_one = [](std::int64_t stride) {
    return static_cast<int>(std::max<std::int64_t>(stride, 1));
  };
  call(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(m),
       static_cast<int>(n), static_cast<int>(k), alpha, a, at_least_one(lda), b, at_least_one(ldb), beta, c,
       at_least_one(ldc));
}

template <class T>
void parallel_gemm(bool transpose_a, bool transpose_b, std::int64_t m, std::int64_t n, std::int64_t k,
                   T alpha, const T* a, std::int64_t lda, const T* b, std::int64_t ldb, T beta, T* c,
                   std::int64_t ldc) {
  constexpr std::int64_t block = 192;  // rows and columns of one block of c
  const std::int64_t column_blocks = (n + block - 1) / block;
  const std::int64_t row_blocks = (m + block - 1) / block;
  parallel_for(row_blocks * column_blocks, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t i = task / column_blocks * block;
    const std::int64_t j = task % column_blocks * block;
    gemm<T>(transpose_a, transpose_b, std::min(block, m - i), std::min(block, n - j), k, alpha,
            a + (transpose_a ? i : i * lda), lda, b + (transpose_b ? j * ldb : j), ldb, beta, c + i * ldc + j,
            ldc);
  });
}

template void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, float, const float*, std::int64_t,
                   const float*, std::int64_t, float, float*, std::int64_t);
template void gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, double, const double*, std::int64_t,
                   const double*, std::int64_t, double, double*, std::int64_t);
template void parallel_gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, float, const float*,
                            std::int64_t, const float*, std::int64_t, float, float*, std::int64_t);
template void parallel_gemm(bool, bool, std::int64_t, std::int64_t, std::int64_t, double, const double*,
                            std::int64_t, const double*, std::int64_t, double, double*, std::int64_t);

}  // namespace gesso
