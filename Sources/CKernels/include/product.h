#pragma once
#include <stdint.h>

/// Whether this processor runs the products below (AVX-512). Elsewhere the linear algebra library has to do.
int kernel_product_is_available(void);

/// Floats that a packed matrix [k, n] takes.
int64_t kernel_packed_size(int64_t k, int64_t n);

/// Packs B [k, n], or the transposed of B [n, k], into panels of 32 columns, zero-padded, each row by row.
void kernel_pack(const float *b, int64_t stride, int64_t k, int64_t n, float *packed);
void kernel_pack_transposed(const float *b, int64_t stride, int64_t k, int64_t n, float *packed);

/// C [m, n] = A [m, k] B, or C += A B, with B packed.
///
/// Every element is one chain of fused multiply-adds over k in order, so a row of C has the same bits whatever the
/// number of rows.
void kernel_product_packed(const float *a, int64_t a_stride, const float *packed, float *c, int64_t c_stride, int64_t m,
                           int64_t n, int64_t k, int accumulate);
