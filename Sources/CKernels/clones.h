#pragma once

/// One source, three versions: the loader chooses AVX-512, AVX2 or baseline x86-64 at start.
/// Elsewhere the compiler vectorises for its target.
#if defined(__x86_64__) && defined(__ELF__)
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_CLONES
#endif

/// A part of a kernel. Vectorised loops over memory that does not overlap are in functions of their own: `restrict` is
/// effective for parameters only, and where two of a kernel's pointers point into one array, the compiler's check
/// before the loop would always choose the slow version.
#define INLINE static inline __attribute__((always_inline))
