#pragma once

/// The processors for which the bodies of the vectorised kernels in use were compiled: "x86-64-v4" (AVX-512),
/// "x86-64-v3" (AVX2), "x86-64", or "baseline" where there is one body only.
const char *kernel_vector_level(void);
