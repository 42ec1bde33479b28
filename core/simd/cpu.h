// What the CPU can do.
#pragma once

#include <string_view>

// Whether a build has kernels for several instruction sets: builds with GCC do, others have one
// (for_each_isa.h).
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define GESSO_SEVERAL_ISAS
#endif

namespace gesso {

/// The instruction sets that kernels are compiled for (core/simd/for_each_isa.h).
enum class Isa {
  baseline,  ///< what every x86-64 has, or any other CPU
  avx2,      ///< AVX2 and FMA: what matters of x86-64-v3
  avx512,    ///< AVX-512 F, CD, BW, DQ and VL: x86-64-v4
};

/// The best that the CPU has and the build has kernels for.
Isa cpu_isa();

/// The one that kernels use: the CPU's, or a lower one where the environment says GESSO_SIMD=avx2 or
/// GESSO_SIMD=baseline, to measure and test on one machine what others run. The variable is read once. (Plain
/// loops, core/simd/clones.h, give the same bits on all of them and always use the CPU's best.)
Isa best_isa();

/// "avx512", "avx2" or "baseline", as GESSO_SIMD names them. Throws ArgumentError for any other name.
Isa isa_named(std::string_view name);

/// For people: "AVX-512", "AVX2" or "baseline".
const char* name_of(Isa isa);

/// Tells the CPU that this thread is only waiting, in a loop that looks for a change.
inline void pause_thread() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

}  // namespace gesso
