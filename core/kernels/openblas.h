// OpenBLAS, set up for gesso: one thread per call (gesso's own parallel loops do the rest), and the kernels
// that the CPU can run. OpenBLAS 0.3.21 takes a CPU that it does not know (AMD Zen 5, say) for a Haswell and
// then runs at half speed.
#pragma once

#include <string>

namespace gesso {

/// Sets OpenBLAS up, once; gemm() does it by itself. Unless the user set OPENBLAS_CORETYPE, the core type
/// becomes SkylakeX where kernels use AVX-512 (best_isa(), core/simd/cpu.h) and OpenBLAS chose a type without
/// it, and Haswell where they use AVX2 and it chose a type for more or for less.
void prepare_openblas();

/// "0.3.21"
std::string openblas_version();

/// The core type in use, e.g. "SkylakeX".
std::string openblas_core_type();

}  // namespace gesso
