// The library of matrix products that gesso was built with: OpenBLAS, another CBLAS, or none, and then gesso's own
// (packed_gemm.h).
//
// OpenBLAS is set up for gesso: one thread per call (gesso's own parallel loops do the rest), and the kernels that the
// CPU can run. OpenBLAS 0.3.21 takes a CPU that it does not know (AMD Zen 5, say) for a Haswell and then runs at half
// speed. So unless the user set OPENBLAS_CORETYPE, the core type becomes SkylakeX where kernels use AVX-512
// (best_isa(), core/simd/cpu.h) and OpenBLAS chose a type without it, and Haswell where they use AVX2 and it chose a
// type for more or for less.
#pragma once

#include <string>

#include "gesso/core/index.h"

namespace gesso {

/// gemm() of core/kernels/gemm.h by that library. Sizes and strides are below 2^31.
template <class T>
void blas_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a, Index lda,
               const T* b, Index ldb, T beta, T* c, Index ldc);

/// "OpenBLAS 0.3.21", "CBLAS", or "gesso's own".
std::string blas_name();

/// The kernels that OpenBLAS has chosen, e.g. "SkylakeX"; empty with another library.
std::string blas_core_type();

}  // namespace gesso
