// The inner loops of matrix products for one width of vector registers. Included once for each width, with
//   FAMILY(name)  the name of a function of this family,
//   TARGET        the function attribute that allows the instructions,
//   LANES         floats in a register; a panel is two registers wide,
//   BLOCK         rows that fit into the registers beside a panel's columns,
//   DEPTH         values of k that a multiply-add takes: 1, or 2 if each number is a pair of bfloat16.
// Each element is one chain of multiply-adds over k from the first to the last. So a row of a result has the same bits
// whatever the other rows are, and whatever the width of the registers.

typedef float FAMILY(vector) __attribute__((vector_size(4 * LANES), aligned(4)));
#define VECTOR FAMILY(vector)
enum { FAMILY(panel) = 2 * LANES, FAMILY(block) = BLOCK };

// Panels come from the second or third level of caches: prefetch the rows that are needed in two dozen steps.
#define FETCH_AHEAD(panel)                                                                                             \
  __builtin_prefetch(panel + 48 * LANES);                                                                              \
  __builtin_prefetch(panel + 49 * LANES)

#if DEPTH == 1
#define MULTIPLY_ADD(a, v, sum) ((a) * (v) + (sum))
#else
#define MULTIPLY_ADD(a, v, sum)                                                                                        \
  ((VECTOR)_mm512_dpbf16_ps((__m512)(sum), (__m512bh)_mm512_set1_ps(a), (__m512bh)(v)))
#endif

#define EACH_ROW _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++)

// C [ROWS, width] (+)= A [ROWS, k] times one panel [k, 2 LANES]. `k` counts multiply-adds.
#define PRODUCT_BLOCK(ROWS_)                                                                                           \
  TARGET static void FAMILY(product_##ROWS_)(const float *a, int64_t row_step, const float *panel, float *c,           \
                                             int64_t c_stride, int64_t k, int64_t width, int accumulate) {             \
    enum { ROWS = ROWS_ };                                                                                             \
    VECTOR left[ROWS], right[ROWS];                                                                                    \
    EACH_ROW left[i] = right[i] = (VECTOR){0};                                                                         \
    for (int64_t p = 0; p < k; p++, a++, panel += 2 * LANES) {                                                         \
      FETCH_AHEAD(panel);                                                                                              \
      VECTOR u = *(const VECTOR *)panel, v = *(const VECTOR *)(panel + LANES);                                         \
      EACH_ROW {                                                                                                       \
        left[i] = MULTIPLY_ADD(a[i * row_step], u, left[i]);                                                           \
        right[i] = MULTIPLY_ADD(a[i * row_step], v, right[i]);                                                         \
      }                                                                                                                \
    }                                                                                                                  \
    if (width == 2 * LANES) {                                                                                          \
      EACH_ROW {                                                                                                       \
        VECTOR *low = (VECTOR *)(c + i * c_stride), *high = (VECTOR *)(c + i * c_stride + LANES);                      \
        *low = accumulate ? left[i] + *low : left[i];                                                                  \
        *high = accumulate ? right[i] + *high : right[i];                                                              \
      }                                                                                                                \
      return;                                                                                                          \
    }                                                                                                                  \
    EACH_ROW {                                                                                                         \
      float row[2 * LANES], *out = c + i * c_stride;                                                                   \
      *(VECTOR *)row = left[i];                                                                                        \
      *(VECTOR *)(row + LANES) = right[i];                                                                             \
      for (int64_t j = 0; j < width; j++) out[j] = accumulate ? row[j] + out[j] : row[j];                              \
    }                                                                                                                  \
  }                                                                                                                    \
  /* The same for a panel whose right half is empty. */                                                                \
  TARGET static void FAMILY(narrow_##ROWS_)(const float *a, int64_t row_step, const float *panel, float *c,            \
                                            int64_t c_stride, int64_t k, int64_t width, int accumulate) {              \
    enum { ROWS = ROWS_ };                                                                                             \
    VECTOR sum[ROWS];                                                                                                  \
    EACH_ROW sum[i] = (VECTOR){0};                                                                                     \
    for (int64_t p = 0; p < k; p++, a++, panel += 2 * LANES) {                                                         \
      VECTOR u = *(const VECTOR *)panel;                                                                               \
      EACH_ROW sum[i] = MULTIPLY_ADD(a[i * row_step], u, sum[i]);                                                      \
    }                                                                                                                  \
    EACH_ROW {                                                                                                         \
      float row[LANES], *out = c + i * c_stride;                                                                       \
      *(VECTOR *)row = sum[i];                                                                                         \
      for (int64_t j = 0; j < width; j++) out[j] = accumulate ? row[j] + out[j] : row[j];                              \
    }                                                                                                                  \
  }                                                                                                                    \
  /* tile [ROWS, 2 LANES] = A transposed times a panel, for packed A [k, ROWS], plus `merges` tiles that lie before    \
     it; the sum is left where the first of these was. */                                                              \
  TARGET static void FAMILY(gradient_##ROWS_)(const float *a, const float *panel, int64_t k, float *tile,              \
                                              int64_t merges) {                                                        \
    enum { ROWS = ROWS_ };                                                                                             \
    VECTOR left[ROWS], right[ROWS];                                                                                    \
    EACH_ROW left[i] = right[i] = (VECTOR){0};                                                                         \
    for (int64_t p = 0; p < k; p++, a += ROWS, panel += 2 * LANES) {                                                   \
      FETCH_AHEAD(panel);                                                                                              \
      VECTOR u = *(const VECTOR *)panel, v = *(const VECTOR *)(panel + LANES);                                         \
      EACH_ROW {                                                                                                       \
        left[i] = MULTIPLY_ADD(a[i], u, left[i]);                                                                      \
        right[i] = MULTIPLY_ADD(a[i], v, right[i]);                                                                    \
      }                                                                                                                \
    }                                                                                                                  \
    for (; merges > 0; merges--) {                                                                                     \
      tile -= BLOCK * 2 * LANES;                                                                                       \
      EACH_ROW {                                                                                                       \
        left[i] += *(VECTOR *)(tile + i * 2 * LANES);                                                                  \
        right[i] += *(VECTOR *)(tile + i * 2 * LANES + LANES);                                                         \
      }                                                                                                                \
    }                                                                                                                  \
    EACH_ROW {                                                                                                         \
      *(VECTOR *)(tile + i * 2 * LANES) = left[i];                                                                     \
      *(VECTOR *)(tile + i * 2 * LANES + LANES) = right[i];                                                            \
    }                                                                                                                  \
  }                                                                                                                    \
  /* Spreads blocks of ROWS floats of a row, `step` floats apart; or those of two rows as pairs, if DEPTH is 2. */     \
  TARGET static void FAMILY(spread_##ROWS_)(const float *row, const float *next, int64_t blocks, float *packed,        \
                                            int64_t step) {                                                            \
    for (; blocks > 0; blocks--, packed += step) {                                                                     \
      SPREAD(row, next, ROWS_, packed);                                                                                \
      row += ROWS_;                                                                                                    \
      if (next) next += ROWS_;                                                                                         \
    }                                                                                                                  \
  }

// Transposes a block of LANES x LANES floats.
TARGET static inline void FAMILY(transpose)(const float *from, int64_t from_stride, float *to, int64_t to_stride) {
  VECTOR rows[LANES];
  _Pragma("clang loop unroll(full)") for (int i = 0; i < LANES; i++) rows[i] = *(const VECTOR *)(from + i * from_stride);
#define STAGE(lanes, s)                                                                                                \
  _Pragma("clang loop unroll(full)") for (int i = 0; i < LANES; i++) if (!(i & s)) {                                   \
    VECTOR a = rows[i], b = rows[i + s];                                                                               \
    rows[i] = __builtin_shufflevector(a, b, LOW_##lanes##_##s);                                                        \
    rows[i + s] = __builtin_shufflevector(a, b, HIGH_##lanes##_##s);                                                   \
  }
#if LANES == 16
  STAGE(16, 8) STAGE(16, 4) STAGE(16, 2) STAGE(16, 1)
#elif LANES == 8
  STAGE(8, 4) STAGE(8, 2) STAGE(8, 1)
#else
  STAGE(4, 2) STAGE(4, 1)
#endif
#undef STAGE
  _Pragma("clang loop unroll(full)") for (int i = 0; i < LANES; i++) *(VECTOR *)(to + i * to_stride) = rows[i];
}

#if DEPTH == 1
#define SPREAD(row, next, count, packed) memcpy(packed, row, (count) * sizeof(float))

// One panel of B transposed: packed [k, 2 LANES] from B [width, k].
TARGET static void FAMILY(pack_transposed)(const float *b, int64_t stride, int64_t k, int64_t width, float *packed) {
  int64_t p = 0;
  if (width == 2 * LANES) {
    for (; p + LANES <= k; p += LANES, packed += LANES * 2 * LANES)
      for (int64_t c = 0; c < 2 * LANES; c += LANES)
        FAMILY(transpose)(b + c * stride + p, stride, packed + c, 2 * LANES);
  }
  for (; p < k; p++, packed += 2 * LANES)
    for (int64_t c = 0; c < 2 * LANES; c++) packed[c] = c < width ? b[c * stride + p] : 0;
}

// Spreads the panels of a row of n floats, `step` floats apart; the last is filled up with zeros.
TARGET static void FAMILY(spread_panels)(const float *row, const float *next, int64_t n, float *packed, int64_t step) {
  for (; n >= 2 * LANES; n -= 2 * LANES, row += 2 * LANES, packed += step)
    memcpy(packed, row, 2 * LANES * sizeof(float));
  if (n > 0)
    for (int64_t j = 0; j < 2 * LANES; j++) packed[j] = j < n ? row[j] : 0;
}
#else
#define SPREAD(row, next, count, packed)                                                                               \
  _mm512_mask_storeu_epi32(packed, first_lanes(count), pairs_of_rows(row, next, count))

// One panel of B transposed: packed [(k + 1) / 2, 2 LANES] pairs from B [width, k].
TARGET static void FAMILY(pack_transposed)(const float *b, int64_t stride, int64_t k, int64_t width, float *packed) {
  float pairs[2 * LANES * LANES] __attribute__((aligned(64)));
  memset(pairs, 0, sizeof pairs);
  for (int64_t p = 0, steps = (k + 1) / 2; p < steps; p += LANES, packed += LANES * 2 * LANES) {
    int64_t values = k - 2 * p < 2 * LANES ? k - 2 * p : 2 * LANES, count = (values + 1) / 2;
    for (int64_t c = 0; c < width; c++) pack_pairs(b + c * stride + 2 * p, values, pairs + c * LANES);
    if (count == LANES) {
      for (int64_t c = 0; c < 2 * LANES; c += LANES)
        FAMILY(transpose)(pairs + c * LANES, LANES, packed + c, 2 * LANES);
    } else {
      for (int64_t q = 0; q < count; q++)
        for (int64_t c = 0; c < 2 * LANES; c++) packed[q * 2 * LANES + c] = pairs[c * LANES + q];
    }
  }
}

// Spreads the panels of two rows of n floats as pairs, `step` floats apart; the last is filled up with zeros.
TARGET static void FAMILY(spread_panels)(const float *row, const float *next, int64_t n, float *packed, int64_t step) {
  for (; n > 0; n -= 2 * LANES, packed += step) {
    for (int64_t c = 0; c < 2 * LANES; c += LANES)
      _mm512_storeu_si512(packed + c, pairs_of_rows(row + c, next ? next + c : NULL, n - c));
    row += 2 * LANES;
    if (next) next += 2 * LANES;
  }
}

// Rows of A as pairs [rows, (k + 1) / 2].
TARGET static void FAMILY(convert)(const float *a, int64_t stride, int64_t rows, int64_t k, float *pairs) {
  for (int64_t i = 0; i < rows; i++, a += stride, pairs += (k + 1) / 2)
    for (int64_t p = 0; p < k; p += 2 * LANES) {
      int64_t values = k - p < 2 * LANES ? k - p : 2 * LANES;
      pack_pairs(a + p, values, pairs + p / 2);
    }
}
#endif

// c [rows, width] = tile [rows, 2 LANES], or c += tile.
TARGET static void FAMILY(put_tile)(const float *tile, int64_t rows, int64_t width, float *c, int64_t c_stride,
                                    int accumulate) {
  for (int64_t i = 0; i < rows; i++, tile += 2 * LANES, c += c_stride) {
    if (accumulate) {
      for (int64_t j = 0; j < width; j++) c[j] += tile[j];
    } else if (width == 2 * LANES) {
      memcpy(c, tile, 2 * LANES * sizeof(float));
    } else {
      for (int64_t j = 0; j < width; j++) c[j] = tile[j];
    }
  }
}

#define NAMES(name, last) FAMILY(name##_##last)
PRODUCT_BLOCK(1) PRODUCT_BLOCK(2) PRODUCT_BLOCK(3) PRODUCT_BLOCK(4) PRODUCT_BLOCK(5) PRODUCT_BLOCK(6)
#if BLOCK > 6
PRODUCT_BLOCK(7) PRODUCT_BLOCK(8) PRODUCT_BLOCK(9) PRODUCT_BLOCK(10) PRODUCT_BLOCK(11) PRODUCT_BLOCK(12)
PRODUCT_BLOCK(13) PRODUCT_BLOCK(14)
#define EACH_BLOCK(name)                                                                                               \
  NULL, NAMES(name, 1), NAMES(name, 2), NAMES(name, 3), NAMES(name, 4), NAMES(name, 5), NAMES(name, 6),                \
      NAMES(name, 7), NAMES(name, 8), NAMES(name, 9), NAMES(name, 10), NAMES(name, 11), NAMES(name, 12),               \
      NAMES(name, 13), NAMES(name, 14)
#else
#define EACH_BLOCK(name)                                                                                               \
  NULL, NAMES(name, 1), NAMES(name, 2), NAMES(name, 3), NAMES(name, 4), NAMES(name, 5), NAMES(name, 6)
#endif

static const product_family FAMILY(family) = {
    .name = FAMILY_NAME, .panel = 2 * LANES, .block = BLOCK, .depth = DEPTH, .product = {EACH_BLOCK(product)},
    .narrow = {EACH_BLOCK(narrow)}, .gradient = {EACH_BLOCK(gradient)}, .spread = {EACH_BLOCK(spread)},
    .spread_panels = FAMILY(spread_panels), .pack_transposed = FAMILY(pack_transposed), .put_tile = FAMILY(put_tile),
#if DEPTH == 2
    .convert = FAMILY(convert)
#endif
};

#undef VECTOR
#undef EACH_ROW
#undef MULTIPLY_ADD
#undef SPREAD
#undef FETCH_AHEAD
#undef PRODUCT_BLOCK
#undef NAMES
#undef EACH_BLOCK
#undef FAMILY
#undef FAMILY_NAME
#undef TARGET
#undef LANES
#undef BLOCK
#undef DEPTH
