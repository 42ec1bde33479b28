#include "gesso/core/kernels/openblas.h"

#include <cblas.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <sstream>
#include <string_view>

#include "gesso/core/simd/cpu.h"

// OpenBLAS builds for many CPUs ("DYNAMIC_ARCH") choose their kernels in the first of these two functions,
// which runs when the library is loaded, before any code of ours; the second undoes it. Builds for one CPU
// lack them.
extern "C" {
__attribute__((weak)) void gotoblas_dynamic_init();
__attribute__((weak)) void gotoblas_dynamic_quit();
}

namespace gesso {
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

}  // namespace

void prepare_openblas() {
  static const bool ready = set_up();
  (void)ready;
}

std::string openblas_version() {
  std::istringstream words(openblas_get_config());  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ..."
  std::string name, version;
  words >> name >> version;
  return version;
}

std::string openblas_core_type() {
  prepare_openblas();
  return openblas_get_corename();
}

}  // namespace gesso
