// GESSO_SIMD before a function that is a plain loop: the compiler builds it for several x86-64 instruction
// sets and the program takes the best one that the CPU has when it starts, so one binary runs everywhere. It
// works on templates too; lambdas that they call are inlined into each version.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define GESSO_SIMD __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define GESSO_SIMD
#endif
