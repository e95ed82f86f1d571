#pragma once

/// One source, three bodies: the loader picks AVX-512, AVX2 or baseline x86-64 at start.
/// Elsewhere the compiler's own vectoriser has to do.
#if defined(__x86_64__) && defined(__ELF__)
#define VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define VECTOR_CLONES
#endif

/// A part of a kernel. Vectorised loops over memory that is known not to overlap stand in such functions: `restrict`
/// counts for parameters only, and where two of a kernel's pointers lead into one array, the check that the compiler
/// puts before the loop would always send it the slow way.
#define INLINE static inline __attribute__((always_inline))
