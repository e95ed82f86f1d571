// Matrix products for the shapes of this model: a few dozen to a few hundred rows times weights that are used again and
// again. A library packs the weights at every call, which costs a fifth of the time at such sizes; here the caller keeps
// them packed. Blocks of up to 14 rows by 32 columns stay in registers.
#include "product.h"
#include <stddef.h>

enum { PANEL = 32, BLOCK = 14 };

int64_t kernel_packed_size(int64_t k, int64_t n) { return (n + PANEL - 1) / PANEL * PANEL * k; }

void kernel_pack(const float *b, int64_t stride, int64_t k, int64_t n, float *packed) {
  for (int64_t j = 0; j < n; j += PANEL) {
    int64_t width = n - j < PANEL ? n - j : PANEL;
    for (int64_t p = 0; p < k; p++) {
      for (int64_t c = 0; c < width; c++) packed[p * PANEL + c] = b[p * stride + j + c];
      for (int64_t c = width; c < PANEL; c++) packed[p * PANEL + c] = 0;
    }
    packed += k * PANEL;
  }
}

void kernel_pack_transposed(const float *b, int64_t stride, int64_t k, int64_t n, float *packed) {
  for (int64_t j = 0; j < n; j += PANEL) {
    int64_t width = n - j < PANEL ? n - j : PANEL;
    for (int64_t first = 0; first < k; first += 16) {
      int64_t last = first + 16 < k ? first + 16 : k;
      for (int64_t c = 0; c < width; c++)
        for (int64_t p = first; p < last; p++) packed[p * PANEL + c] = b[(j + c) * stride + p];
      for (int64_t c = width; c < PANEL; c++)
        for (int64_t p = first; p < last; p++) packed[p * PANEL + c] = 0;
    }
    packed += k * PANEL;
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

int kernel_product_is_available(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma");
}

#define WIDE __attribute__((target("avx512f,avx512vl,fma")))
#define EACH_ROW _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++)

// C [ROWS, up to 32] (+)= A B for one panel of B. Element (i, p) of A lies at a[i * row_step + p].
#define BLOCK_KERNEL(ROWS_)                                                                                            \
  WIDE static void block_##ROWS_(const float *a, int64_t row_step, const float *panel, float *c,         \
                                 int64_t c_stride, int64_t k, uint32_t mask, int accumulate) {                         \
    enum { ROWS = ROWS_ };                                                                                             \
    __m512 left[ROWS], right[ROWS];                                                                                    \
    EACH_ROW left[i] = right[i] = _mm512_setzero_ps();                                                                 \
    for (int64_t p = 0; p < k; p++, a++, panel += PANEL) {                                                       \
      __m512 u = _mm512_loadu_ps(panel), v = _mm512_loadu_ps(panel + 16);                                              \
      EACH_ROW {                                                                                                       \
        __m512 s = _mm512_set1_ps(a[i * row_step]);                                                                    \
        left[i] = _mm512_fmadd_ps(s, u, left[i]);                                                                      \
        right[i] = _mm512_fmadd_ps(s, v, right[i]);                                                                    \
      }                                                                                                                \
    }                                                                                                                  \
    __mmask16 low = (__mmask16)mask, high = (__mmask16)(mask >> 16);                                                   \
    EACH_ROW {                                                                                                         \
      float *out = c + i * c_stride;                                                                                   \
      if (accumulate) {                                                                                                \
        left[i] = _mm512_add_ps(left[i], _mm512_maskz_loadu_ps(low, out));                                             \
        right[i] = _mm512_add_ps(right[i], _mm512_maskz_loadu_ps(high, out + 16));                                     \
      }                                                                                                                \
      _mm512_mask_storeu_ps(out, low, left[i]);                                                                        \
      _mm512_mask_storeu_ps(out + 16, high, right[i]);                                                                 \
    }                                                                                                                  \
  }                                                                                                                    \
  /* The same for a panel of at most 16 columns. */                                                                    \
  WIDE static void narrow_##ROWS_(const float *a, int64_t row_step, const float *panel, float *c,        \
                                  int64_t c_stride, int64_t k, uint32_t mask, int accumulate) {                        \
    enum { ROWS = ROWS_ };                                                                                             \
    __m512 sum[ROWS];                                                                                                  \
    EACH_ROW sum[i] = _mm512_setzero_ps();                                                                             \
    for (int64_t p = 0; p < k; p++, a++, panel += PANEL) {                                                       \
      __m512 u = _mm512_loadu_ps(panel);                                                                               \
      EACH_ROW sum[i] = _mm512_fmadd_ps(_mm512_set1_ps(a[i * row_step]), u, sum[i]);                                   \
    }                                                                                                                  \
    EACH_ROW {                                                                                                         \
      float *out = c + i * c_stride;                                                                                   \
      if (accumulate) sum[i] = _mm512_add_ps(sum[i], _mm512_maskz_loadu_ps((__mmask16)mask, out));                     \
      _mm512_mask_storeu_ps(out, (__mmask16)mask, sum[i]);                                                             \
    }                                                                                                                  \
  }

BLOCK_KERNEL(1) BLOCK_KERNEL(2) BLOCK_KERNEL(3) BLOCK_KERNEL(4) BLOCK_KERNEL(5) BLOCK_KERNEL(6) BLOCK_KERNEL(7)
BLOCK_KERNEL(8) BLOCK_KERNEL(9) BLOCK_KERNEL(10) BLOCK_KERNEL(11) BLOCK_KERNEL(12) BLOCK_KERNEL(13) BLOCK_KERNEL(14)

typedef void (*block_kernel)(const float *, int64_t, const float *, float *, int64_t, int64_t, uint32_t, int);
static const block_kernel blocks[BLOCK + 1] = {
    NULL,    block_1, block_2, block_3,  block_4,  block_5,  block_6, block_7,
    block_8, block_9, block_10, block_11, block_12, block_13, block_14};
static const block_kernel narrow_blocks[BLOCK + 1] = {
    NULL,     narrow_1, narrow_2,  narrow_3,  narrow_4,  narrow_5,  narrow_6, narrow_7,
    narrow_8, narrow_9, narrow_10, narrow_11, narrow_12, narrow_13, narrow_14};

void kernel_product_packed(const float *a, int64_t a_stride, const float *packed, float *c, int64_t c_stride, int64_t m,
                           int64_t n, int64_t k, int accumulate) {
  int64_t count = (m + BLOCK - 1) / BLOCK;
  for (int64_t j = 0; j < n; j += PANEL) {
    const float *panel = packed + j * k;
    int64_t width = n - j < PANEL ? n - j : PANEL;
    uint32_t mask = width == PANEL ? 0xFFFFFFFFu : (1u << width) - 1;
    const block_kernel *kernels = width > 16 ? blocks : narrow_blocks;
    // Blocks of nearly equal size: a last block of one or two rows would idle most of the registers.
    for (int64_t t = 0; t < count; t++) {
      int64_t first = m * t / count, last = m * (t + 1) / count;
      kernels[last - first](a + first * a_stride, a_stride, panel, c + first * c_stride + j, c_stride, k, mask,
                            accumulate);
    }
  }
}
#else
int kernel_product_is_available(void) { return 0; }
void kernel_product_packed(const float *a, int64_t a_stride, const float *packed, float *c, int64_t c_stride, int64_t m,
                           int64_t n, int64_t k, int accumulate) {
  __builtin_trap();
}
#endif
