// Matrix products for the shapes of this model: a few dozen to a few hundred rows times weights that are used again and
// again. A library packs the weights at every call, which costs a fifth of the time at such sizes; here the caller keeps
// them packed.
#include "product.h"
#include "clones.h"
#include "transpose_lanes.h"
#include <stdlib.h>
#include <string.h>

enum { MAXIMUM_BLOCK = 14, MAXIMUM_LEVELS = 32 };

typedef void (*product_block)(const float *a, int64_t row_step, const float *panel, float *c, int64_t c_stride,
                              int64_t k, int64_t width, int accumulate);
typedef void (*gradient_block)(const float *a, const float *panel, int64_t k, float *tile, int64_t merges);

/// The kernels for one kind of processor and one precision.
typedef struct product_family {
  const char *name;
  int64_t panel, block, depth;
  product_block product[MAXIMUM_BLOCK + 1], narrow[MAXIMUM_BLOCK + 1];
  gradient_block gradient[MAXIMUM_BLOCK + 1];
  void (*spread[MAXIMUM_BLOCK + 1])(const float *row, const float *next, int64_t blocks, float *packed, int64_t step);
  void (*spread_panels)(const float *row, const float *next, int64_t n, float *packed, int64_t step);
  void (*pack_transposed)(const float *b, int64_t stride, int64_t k, int64_t width, float *packed);
  void (*put_tile)(const float *tile, int64_t rows, int64_t width, float *c, int64_t c_stride, int accumulate);
  // Brings rows of A into the form in which they are multiplied; NULL if they are multiplied as they are.
  void (*convert)(const float *a, int64_t stride, int64_t rows, int64_t k, float *converted);
} product_family;

#if defined(__x86_64__)
#include "bfloat16_pairs.h"
#define FAMILY(name) pair_##name
#define FAMILY_NAME "avx512bf16"
#define TARGET PAIR_TARGET
#define LANES 16
#define BLOCK 14
#define DEPTH 2
#include "product_blocks.h"

#define FAMILY(name) wide_##name
#define FAMILY_NAME "avx512"
#define TARGET __attribute__((target("avx512f,avx512vl,fma")))
#define LANES 16
#define BLOCK 14
#define DEPTH 1
#include "product_blocks.h"

#define FAMILY(name) middle_##name
#define FAMILY_NAME "avx2"
#define TARGET __attribute__((target("avx2,fma")))
#define LANES 8
#define BLOCK 6
#define DEPTH 1
#include "product_blocks.h"
#endif

#define FAMILY(name) narrow_##name
#define FAMILY_NAME "portable"
#define TARGET
#define LANES 4
#define BLOCK 6
#define DEPTH 1
#include "product_blocks.h"

static const product_family *best = &narrow_family;
// Per thread, so that tests that run in parallel are not affected; NULL is the best.
static _Thread_local const product_family *chosen;

// NULL if this processor has none.
static const product_family *best_of_pairs;

static const product_family *in_use(enum product_precision precision) {
  if (precision == PRODUCT_BFLOAT16) return best_of_pairs;
  return chosen ? chosen : best;
}

/// Multiply-adds of k values.
static int64_t steps(const product_family *family, int64_t k) { return (k + family->depth - 1) / family->depth; }

__attribute__((constructor)) static void choose_best(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) best = &middle_family;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl")) best = &wide_family;
  if (best == &wide_family && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512bf16"))
    best_of_pairs = &pair_family;
#endif
}

const char *kernel_product_family(enum product_precision precision) {
  const product_family *family = in_use(precision);
  return family ? family->name : NULL;
}

int kernel_product_choose(const char *name) {
  // In ascending order; the processor supports all up to its best.
  const product_family *known[] = {
      &narrow_family,
#if defined(__x86_64__)
      &middle_family, &wide_family,
#endif
  };
  if (!name) {
    chosen = NULL;
    return 1;
  }
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (strcmp(known[i]->name, name) == 0) {
      chosen = known[i];
      return 1;
    }
    if (known[i] == best) break;
  }
  return 0;
}

int64_t kernel_packed_size(enum product_precision precision, int64_t k, int64_t n) {
  const product_family *family = in_use(precision);
  return (n + family->panel - 1) / family->panel * family->panel * steps(family, k);
}

void kernel_pack(enum product_precision precision, const float *b, int64_t stride, int64_t k, int64_t n, int64_t first,
                 int64_t rows, float *packed) {
  const product_family *family = in_use(precision);
  int64_t panel = family->panel, depth = family->depth;
  for (int64_t p = first; p < first + rows; p += depth)
    family->spread_panels(b + p * stride, depth > 1 && p + 1 < k ? b + (p + 1) * stride : NULL, n,
                          packed + p / depth * panel, panel * steps(family, k));
}

void kernel_pack_transposed(enum product_precision precision, const float *b, int64_t stride, int64_t k, int64_t n,
                            int64_t first, int64_t rows, float *packed) {
  const product_family *family = in_use(precision);
  int64_t panel = family->panel;
  for (int64_t j = first; j < first + rows; j += panel)
    family->pack_transposed(b + j * stride, stride, k, n - j < panel ? n - j : panel, packed + j * steps(family, k));
}

int64_t kernel_product_workspace(enum product_precision precision, int64_t k) {
  const product_family *family = in_use(precision);
  return family->convert ? family->block * steps(family, k) : 0;
}

void kernel_product_packed(enum product_precision precision, const float *a, int64_t a_stride, const float *packed,
                           float *c, int64_t c_stride, int64_t m, int64_t n, int64_t k, int accumulate,
                           float *workspace) {
  const product_family *family = in_use(precision);
  int64_t panel = family->panel, count = (m + family->block - 1) / family->block, depth_steps = steps(family, k);
  // Blocks of nearly equal size: a last block of one or two rows would idle most of the registers. A block's rows stay
  // in the first cache while the panels pass.
  for (int64_t t = 0; t < count; t++) {
    int64_t first = m * t / count, size = m * (t + 1) / count - first, row_step = a_stride;
    const float *rows = a + first * a_stride;
    if (family->convert) {
      family->convert(rows, a_stride, size, k, workspace);
      rows = workspace;
      row_step = depth_steps;
    }
    for (int64_t j = 0; j < n; j += panel) {
      int64_t width = n - j < panel ? n - j : panel;
      const product_block *blocks = width > panel / 2 ? family->product : family->narrow;
      blocks[size](rows, row_step, packed + j * depth_steps, c + first * c_stride + j, c_stride, depth_steps, width,
                   accumulate);
    }
  }
}

int64_t kernel_gradient_workspace(enum product_precision precision, int64_t rows, int64_t m, int64_t n) {
  const product_family *family = in_use(precision);
  int64_t panel = family->panel, width = (n + panel - 1) / panel * panel;
  // Multiply-adds of the microbatches together are no more than rows.
  return rows * (m + width) + (MAXIMUM_LEVELS + 1) * family->block * panel;
}

/// Fills `merges` for the microbatches first, first + 1, ...; returns how many sums are left at the end.
static int64_t order_merges(int64_t first, int64_t count, unsigned char *merges) {
  int levels[MAXIMUM_LEVELS + 1];
  int64_t top = 0;
  for (int64_t s = 0; s < count; s++) {
    int level = 0;
    merges[s] = 0;
    // The block of this microbatch is the right half of the next larger one; if the left half is here too, they are
    // added.
    while (((first + s) >> level & 1) && top > 0 && levels[top - 1] == level) {
      top--;
      level++;
      merges[s]++;
    }
    levels[top++] = level;
  }
  return top;
}

void kernel_weight_gradient(enum product_precision precision, const float *const *x, const float *const *dy,
                            const int64_t *starts, int64_t microbatches, int64_t first_microbatch, int64_t m, int64_t n,
                            float *const *sums, int64_t stride, int accumulate, float *workspace) {
  const product_family *family = in_use(precision);
  unsigned char merges[MAXIMUM_MICROBATCHES];
  int64_t sum_count = order_merges(first_microbatch, microbatches, merges);
  int64_t panel = family->panel, panels = (n + panel - 1) / panel, depth = family->depth, all = 0;
  for (int64_t s = 0; s < microbatches; s++) all += steps(family, starts[s + 1] - starts[s]);
  // The first blocks of columns of x are one wider than the others, so that none is much smaller.
  int64_t count = (m + family->block - 1) / family->block, block = (m + count - 1) / count;
  int64_t wide = m - count * (block - 1), tile_size = family->block * panel;
  float *packed_x = workspace, *packed_dy = packed_x + all * m, *stack = packed_dy + all * panels * panel;

  // One pass over rows that are anywhere in memory; the next but one is prefetched. A multiply-add takes `depth` rows of
  // one microbatch.
  for (int64_t s = 0, q = 0; s < microbatches; s++)
    for (int64_t r = starts[s]; r < starts[s + 1]; r += depth, q++) {
      for (int64_t ahead = r + 2 * depth; ahead < r + 3 * depth && ahead < starts[microbatches]; ahead++) {
        for (int64_t j = 0; j < m && j < 64; j += 16) __builtin_prefetch(x[ahead] + j);
        for (int64_t j = 0; j < n && j < 64; j += 16) __builtin_prefetch(dy[ahead] + j);
      }
      int has_next = depth > 1 && r + 1 < starts[s + 1];
      const float *next_x = has_next ? x[r + 1] : NULL, *next_dy = has_next ? dy[r + 1] : NULL;
      family->spread[block](x[r], next_x, wide, packed_x + q * block, all * block);
      if (count > wide)
        family->spread[block - 1](x[r] + wide * block, next_x ? next_x + wide * block : NULL, count - wide,
                                  packed_x + wide * block * all + q * (block - 1), all * (block - 1));
      family->spread_panels(dy[r], next_dy, n, packed_dy + q * panel, all * panel);
    }
  for (int64_t t = 0, first = 0; t < count; t++) {
    int64_t size = t < wide ? block : block - 1;
    for (int64_t j = 0; j < n; j += panel) {
      const float *a = packed_x + first * all, *b = packed_dy + j * all;
      int64_t top = 0;
      for (int64_t s = 0; s < microbatches; s++) {
        int64_t own = steps(family, starts[s + 1] - starts[s]);
        family->gradient[size](a, b, own, stack + top * tile_size, merges[s]);
        a += own * size;
        b += own * panel;
        top += 1 - merges[s];
      }
      for (int64_t q = 0; q < sum_count; q++)
        family->put_tile(stack + q * tile_size, size, n - j < panel ? n - j : panel, sums[q] + first * stride + j,
                         stride, accumulate);
    }
    first += size;
  }
}

int64_t kernel_bias_workspace(int64_t n) { return (MAXIMUM_LEVELS + 1) * n; }

VECTOR_CLONES
void kernel_bias_gradient(const float *const *dy, const int64_t *starts, int64_t microbatches, int64_t first_microbatch,
                          int64_t n, float *const *sums, int accumulate, float *workspace) {
  unsigned char merges[MAXIMUM_MICROBATCHES];
  int64_t sum_count = order_merges(first_microbatch, microbatches, merges), top = 0;
  for (int64_t s = 0; s < microbatches; s++) {
    float *restrict sum = workspace + top * n;
    for (int64_t j = 0; j < n; j++) sum[j] = 0;
    for (int64_t r = starts[s]; r < starts[s + 1]; r++) {
      const float *restrict row = dy[r];
      for (int64_t j = 0; j < n; j++) sum[j] += row[j];
    }
    for (int i = 0; i < merges[s]; i++, top--) {
      const float *restrict right = workspace + top * n;
      float *restrict left = workspace + (top - 1) * n;
      for (int64_t j = 0; j < n; j++) left[j] += right[j];
    }
    top++;
  }
  for (int64_t q = 0; q < sum_count; q++)
    for (int64_t j = 0; j < n; j++) sums[q][j] = (accumulate ? sums[q][j] : 0) + workspace[q * n + j];
}
