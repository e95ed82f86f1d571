#pragma once
#include <stdint.h>

/// How the factors of a product are rounded; sums are floats.
enum product_precision {
  /// Not at all.
  PRODUCT_FLOAT32,
  /// To bfloat16, of which the processor multiplies and adds two at a time. A product of an odd depth is filled up with
  /// zero. Packed weights have two numbers in the place of a float.
  PRODUCT_BFLOAT16,
};

/// The kernels in use: "avx512", "avx2" or "portable" for floats; bits agree between avx512 and avx2. "avx512bf16" for
/// bfloat16, or NULL if this processor cannot multiply it.
const char *kernel_product_family(enum product_precision precision);

/// Uses the named kernels for floats on this thread from now on, for tests, or the best again if `name` is NULL; 0 if
/// there are none of this name for this processor.
int kernel_product_choose(const char *name);

/// Floats that a packed [k, n] matrix takes.
int64_t kernel_packed_size(enum product_precision precision, int64_t k, int64_t n);

/// Rows of a weight that are packed together at least: the panels of all families are divisors of it.
enum { PACKED_ROWS = 32 };

/// Packs some rows of a weight, `first` and those that follow: of B [k, n], or for B transposed of [n, k]. Packed are
/// panels of columns of B, row by row, padded with zeros. `first` is a multiple of PACKED_ROWS, and so is `rows` unless
/// these are the last.
void kernel_pack(enum product_precision precision, const float *b, int64_t stride, int64_t k, int64_t n, int64_t first,
                 int64_t rows, float *packed);
void kernel_pack_transposed(enum product_precision precision, const float *b, int64_t stride, int64_t k, int64_t n,
                            int64_t first, int64_t rows, float *packed);

/// Floats of working memory for a product of this depth; 0 for some precisions.
int64_t kernel_product_workspace(enum product_precision precision, int64_t k);

/// C [m, n] = A [m, k] B, or C += A B, for packed B [k, n]. A row of C depends on that row of A only, bit for bit.
void kernel_product_packed(enum product_precision precision, const float *a, int64_t a_stride, const float *packed,
                           float *c, int64_t c_stride, int64_t m, int64_t n, int64_t k, int accumulate,
                           float *workspace);

enum { MAXIMUM_MICROBATCHES = 4096 };

/// Floats of working memory for the gradient of a weight [m, n] from so many rows, and of a bias [n].
int64_t kernel_gradient_workspace(enum product_precision precision, int64_t rows, int64_t m, int64_t n);
int64_t kernel_bias_workspace(int64_t n);

/// The gradient of a weight [m, n], microbatch by microbatch: the sum over rows of x[r] times dy[r].
///
/// Rows come sorted by microbatch: microbatch first_microbatch + s has the rows starts[s] ..< starts[s + 1]. Within a
/// microbatch they are added in order, two at a time if they are rounded to bfloat16; microbatches are added as leaves
/// of a binary tree whose blocks are aligned, so that the bits do not depend on which microbatches are computed
/// together. The results are the sums over the largest aligned blocks of first_microbatch ..< first_microbatch +
/// microbatches, in order: that of block q is written to sums[q] [m, n], or added to it. At most MAXIMUM_MICROBATCHES.
void kernel_weight_gradient(enum product_precision precision, const float *const *x, const float *const *dy,
                            const int64_t *starts, int64_t microbatches, int64_t first_microbatch, int64_t m, int64_t n,
                            float *const *sums, int64_t stride, int accumulate, float *workspace);

/// The same for a bias [n], whose x is 1.
void kernel_bias_gradient(const float *const *dy, const int64_t *starts, int64_t microbatches, int64_t first_microbatch,
                          int64_t n, float *const *sums, int accumulate, float *workspace);
