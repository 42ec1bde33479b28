// OpenBLAS, set up for gesso: one thread a call (gesso's own parallel loops do the rest), and the kernels
// that the CPU can run. OpenBLAS 0.3.21 takes a CPU that it does not know (AMD Zen 5, say) for a Haswell and
// then runs at half speed.
#pragma once

#include <string>

namespace gesso {

/// Sets OpenBLAS up, once; gemm() does it by itself. Unless the user set OPENBLAS_CORETYPE, the core type
/// becomes SkylakeX on a CPU with AVX-512 (F, CD, BW, DQ, VL) for which OpenBLAS chose a type without it, and
/// Haswell on one with AVX2 and FMA for which it chose an older one.
void prepare_openblas();

/// "0.3.21"
std::string openblas_version();

/// The core type in use, e.g. "SkylakeX".
std::string openblas_core_type();

}  // namespace gesso
