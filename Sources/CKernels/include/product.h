#pragma once
#include <stdint.h>

/// The kernels in use: "avx512", "avx2" or "portable". Bits agree between avx512 and avx2.
const char *kernel_product_family(void);

/// Uses the named kernels on this thread from now on, for tests, or the best again if `name` is NULL; 0 if there are
/// none of this name for this processor.
int kernel_product_choose(const char *name);

/// Floats that a packed [k, n] matrix takes.
int64_t kernel_packed_size(int64_t k, int64_t n);

/// Rows of a weight that are packed together at least: the panels of all families are divisors of it.
enum { PACKED_ROWS = 32 };

/// Packs some rows of a weight, `first` and those that follow: of B [k, n], or for B transposed of [n, k]. Packed are
/// panels of columns of B, row by row, padded with zeros. `first` is a multiple of PACKED_ROWS, and so is `rows` unless
/// these are the last.
void kernel_pack(const float *b, int64_t stride, int64_t k, int64_t n, int64_t first, int64_t rows, float *packed);
void kernel_pack_transposed(const float *b, int64_t stride, int64_t k, int64_t n, int64_t first, int64_t rows,
                            float *packed);

/// C [m, n] = A [m, k] B, or C += A B, for packed B [k, n]. A row of C depends on that row of A only, bit for bit.
void kernel_product_packed(const float *a, int64_t a_stride, const float *packed, float *c, int64_t c_stride, int64_t m,
                           int64_t n, int64_t k, int accumulate);

enum { MAXIMUM_MICROBATCHES = 4096 };

/// Floats of working memory for the gradient of a weight [m, n] from so many rows, and of a bias [n].
int64_t kernel_gradient_workspace(int64_t rows, int64_t m, int64_t n);
int64_t kernel_bias_workspace(int64_t n);

/// The gradient of a weight [m, n], microbatch by microbatch: the sum over rows of x[r] times dy[r].
///
/// Rows come sorted by microbatch: microbatch first_microbatch + s has the rows starts[s] ..< starts[s + 1]. Within a
/// microbatch they are added in order; microbatches are added as leaves of a binary tree whose blocks are aligned, so
/// that the bits do not depend on which microbatches are computed together. The results are the sums over the largest
/// aligned blocks of first_microbatch ..< first_microbatch + microbatches, in order: that of block q is written to
/// sums[q] [m, n], or added to it. At most MAXIMUM_MICROBATCHES.
void kernel_weight_gradient(const float *const *x, const float *const *dy, const int64_t *starts, int64_t microbatches,
                            int64_t first_microbatch, int64_t m, int64_t n, float *const *sums, int64_t stride,
                            int accumulate, float *workspace);

/// The same for a bias [n], whose x is 1.
void kernel_bias_gradient(const float *const *dy, const int64_t *starts, int64_t microbatches, int64_t first_microbatch,
                          int64_t n, float *const *sums, int accumulate, float *workspace);
