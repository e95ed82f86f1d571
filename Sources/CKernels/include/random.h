#pragma once
#include <stdint.h>

/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): a keyed bijection of a 128-bit counter.
/// `out` receives the four words of the block `counter` under `key`.
void kernel_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]);

/// `count` standard normals from the blocks (0, c1, c2, c3), (1, c1, c2, c3), ...: four a block,
/// by Box-Muller on the word pairs (0, 1) and (2, 3). A prefix does not depend on `count`.
void kernel_normals(const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3, float *out, int64_t count);

/// `count` uniforms in [0, 1) with 24 bits from the same blocks.
void kernel_uniforms(const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3, float *out, int64_t count);
