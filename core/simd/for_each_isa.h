// Kernels for several instruction sets from one source, in the manner of Google's Highway. In a .cpp,
//
//     #define GESSO_ISA_SOURCE "gesso/core/kernels/panel_products_isa.h"
//     #include "gesso/core/simd/for_each_isa.h"
//
// compiles that source once for AVX-512, once for AVX2 and once for plain x86-64 (or any other CPU), each
// time into a namespace of its own. The source has no include guard. It includes nothing, because a header
// would be compiled for that instruction set only: the .cpp includes what it needs beforehand. And it puts
// everything it defines into namespace GESSO_ISA, inside an unnamed one. It finds
//
//     GESSO_ISA             the namespace                      avx512   avx2   baseline
//     GESSO_REGISTER_BYTES  the size of a vector register          64     32         16
//     GESSO_REGISTERS       how many there are                     32     16         16
//
// What the source defines, the .cpp then reaches by GESSO_BEST_ISA(name): avx512::name, avx2::name or
// baseline::name, for the instruction set that core/simd/cpu.h names when the program runs.
//
// Clang does not take vectors from functions compiled for less (those of core/simd/vector.h), even where it
// inlines them: with it, "baseline" is whatever its flags ask for (-march=native, for example), and there is
// nothing else.
//
// No pragma once: this is not a header but a loop.
#include "gesso/core/simd/cpu.h"

#if defined(GESSO_SEVERAL_ISAS)

#pragma GCC push_options
#pragma GCC target("avx512f,avx512cd,avx512bw,avx512dq,avx512vl")
#define GESSO_ISA avx512
#define GESSO_REGISTER_BYTES 64
#define GESSO_REGISTERS 32
#include GESSO_ISA_SOURCE
#undef GESSO_ISA
#undef GESSO_REGISTER_BYTES
#undef GESSO_REGISTERS
#pragma GCC pop_options

#pragma GCC push_options
#pragma GCC target("avx2,fma")
#define GESSO_ISA avx2
#define GESSO_REGISTER_BYTES 32
#define GESSO_REGISTERS 16
#include GESSO_ISA_SOURCE
#undef GESSO_ISA
#undef GESSO_REGISTER_BYTES
#undef GESSO_REGISTERS
#pragma GCC pop_options

#define GESSO_BEST_ISA(...)                                      \
  (gesso::best_isa() == gesso::Isa::avx512 ? avx512::__VA_ARGS__ \
   : gesso::best_isa() == gesso::Isa::avx2 ? avx2::__VA_ARGS__   \
                                           : baseline::__VA_ARGS__)
#else
#define GESSO_BEST_ISA(...) (baseline::__VA_ARGS__)
#endif

#define GESSO_ISA baseline
#if !defined(GESSO_SEVERAL_ISAS) && defined(__AVX512VL__)
#define GESSO_REGISTER_BYTES 64
#define GESSO_REGISTERS 32
#elif !defined(GESSO_SEVERAL_ISAS) && defined(__AVX2__)
#define GESSO_REGISTER_BYTES 32
#define GESSO_REGISTERS 16
#else
#define GESSO_REGISTER_BYTES 16
#define GESSO_REGISTERS 16
#endif
#include GESSO_ISA_SOURCE
#undef GESSO_ISA
#undef GESSO_REGISTER_BYTES
#undef GESSO_REGISTERS
