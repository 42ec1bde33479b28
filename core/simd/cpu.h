// What the CPU can do.
#pragma once

namespace gesso {

/// AVX-512 F, CD, BW, DQ and VL: x86-64-v4.
bool cpu_has_avx512();

/// AVX2 and FMA: what matters of x86-64-v3.
bool cpu_has_avx2();

/// The instruction set that gesso's own kernels use here: "AVX-512", "AVX2" or "baseline".
const char* simd_level();

}  // namespace gesso
