#include "gesso/core/kernels/blas.h"

#if defined(GESSO_HAS_OPENBLAS) || defined(GESSO_HAS_CBLAS)
#include <cblas.h>
#endif

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "gesso/core/kernels/packed_gemm.h"
#include "gesso/core/simd/cpu.h"

#if defined(GESSO_HAS_OPENBLAS)
// OpenBLAS builds for many CPUs ("DYNAMIC_ARCH") choose their kernels in the first of these two functions,
// which runs when the library is loaded, before any code of ours; the second undoes it. Builds for one CPU
// lack them.
extern "C" {
__attribute__((weak)) void gotoblas_dynamic_init();
__attribute__((weak)) void gotoblas_dynamic_quit();
}
#endif

namespace gesso {

#if defined(GESSO_HAS_OPENBLAS)
namespace {

// The core types of OpenBLAS that use AVX-512, and those that use AVX2.
constexpr std::array<std::string_view, 3> kAvx512Types = {"SkylakeX", "Cooperlake", "SapphireRapids"};
constexpr std::array<std::string_view, 3> kAvx2Types = {"Haswell", "Zen", "Excavator"};

template <std::size_t n>
bool contains(const std::array<std::string_view, n>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void set_core_type(const char* type) {
  setenv("OPENBLAS_CORETYPE", type, 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv("OPENBLAS_CORETYPE");  // programs that this one starts choose for themselves
}

bool set_up() {
  const std::string chosen = openblas_get_corename();
  if (std::getenv("OPENBLAS_CORETYPE") == nullptr && gotoblas_dynamic_init && gotoblas_dynamic_quit) {
    if (best_isa() == Isa::avx512 && !contains(kAvx512Types, chosen)) {
      set_core_type("SkylakeX");
    } else if (best_isa() == Isa::avx2 && !contains(kAvx2Types, chosen)) {
      set_core_type("Haswell");
    }
  }
  openblas_set_num_threads(1);
  return true;
}

void prepare_blas() {
  static const bool ready = set_up();
  (void)ready;
}

}  // namespace

std::string blas_name() {
  std::istringstream words(openblas_get_config());  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  std::string name, version;
  words >> name >> version;
  return name + " " + version;
}

std::string blas_core_type() {
  prepare_blas();
  return openblas_get_corename();
}

#else

#if defined(GESSO_HAS_CBLAS)
namespace {
void prepare_blas() {}  // how many threads it uses is for its own environment variables to say
}  // namespace
std::string blas_name() { return "CBLAS"; }
#else
std::string blas_name() { return "gesso's own"; }
#endif
std::string blas_core_type() { return {}; }

#endif

#if defined(GESSO_HAS_OPENBLAS) || defined(GESSO_HAS_CBLAS)
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
#endif

template <class T>
void blas_gemm(bool transpose_a, bool transpose_b, Index m, Index n, Index k, T alpha, const T* a, Index lda,
               const T* b, Index ldb, T beta, T* c, Index ldc) {
#if defined(GESSO_HAS_OPENBLAS) || defined(GESSO_HAS_CBLAS)
  prepare_blas();
  // BLAS wants leading dimensions of at least 1 even where there is nothing to read.
  const auto at_least_one = [](Index stride) { return static_cast<int>(std::max<Index>(stride, 1)); };
  call(transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, static_cast<int>(m),
       static_cast<int>(n), static_cast<int>(k), alpha, a, at_least_one(lda), b, at_least_one(ldb), beta, c,
       at_least_one(ldc));
#else
  packed_gemm(transpose_a, transpose_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
#endif
}

template void blas_gemm(bool, bool, Index, Index, Index, float, const float*, Index, const float*, Index,
                        float, float*, Index);
template void blas_gemm(bool, bool, Index, Index, Index, double, const double*, Index, const double*, Index,
                        double, double*, Index);

}  // namespace gesso
