#include "gesso/core/simd/cpu.h"

#include <algorithm>
#include <cstdlib>

#include "gesso/core/error.h"

namespace gesso {

Isa isa_named(std::string_view name) {
  require(name == "avx512" || name == "avx2" || name == "baseline", "there is no instruction set \"", name,
          "\" (GESSO_SIMD in the environment); set it to avx512, avx2 or baseline, or unset it");
  return name == "avx512" ? Isa::avx512 : name == "avx2" ? Isa::avx2 : Isa::baseline;
}

Isa cpu_isa() {
#if defined(GESSO_SEVERAL_ISAS)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return Isa::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return Isa::avx2;
  }
  return Isa::baseline;
#elif defined(__AVX512VL__)
  return Isa::avx512;
#elif defined(__AVX2__)
  return Isa::avx2;
#else
  return Isa::baseline;
#endif
}

Isa best_isa() {
  static const Isa isa = [] {
    const char* const wanted = std::getenv("GESSO_SIMD");
    return wanted == nullptr ? cpu_isa() : std::min(cpu_isa(), isa_named(wanted));
  }();
  return isa;
}

const char* name_of(Isa isa) {
  return isa == Isa::avx512 ? "AVX-512" : isa == Isa::avx2 ? "AVX2" : "baseline";
}

}  // namespace gesso
