// The inner loops of matrix products for one width of vector registers. Included once for each width, with
//   FAMILY(name)  the name of a function of this family,
//   TARGET        the function attribute that allows the instructions,
//   LANES         floats in a register; a panel is two registers wide,
//   BLOCK         rows that fit into the registers beside a panel's columns.
// Each element is one chain of multiply-adds over k from the first to the last. So a row of a result has the same bits
// whatever rows stand beside it, and whatever the width of the registers.

typedef float FAMILY(vector) __attribute__((vector_size(4 * LANES), aligned(4)));
#define VECTOR FAMILY(vector)
enum { FAMILY(panel) = 2 * LANES, FAMILY(block) = BLOCK };

#define EACH_ROW _Pragma("clang loop unroll(full)") for (int i = 0; i < ROWS; i++)

// C [ROWS, width] (+)= A [ROWS, k] times one panel [k, 2 LANES].
#define PRODUCT_BLOCK(ROWS_)                                                                                           \
  TARGET static void FAMILY(product_##ROWS_)(const float *a, int64_t row_step, const float *panel, float *c,           \
                                             int64_t c_stride, int64_t k, int64_t width, int accumulate) {             \
    enum { ROWS = ROWS_ };                                                                                             \
    VECTOR left[ROWS], right[ROWS];                                                                                    \
    EACH_ROW left[i] = right[i] = (VECTOR){0};                                                                         \
    for (int64_t p = 0; p < k; p++, a++, panel += 2 * LANES) {                                                         \
      VECTOR u = *(const VECTOR *)panel, v = *(const VECTOR *)(panel + LANES);                                         \
      EACH_ROW {                                                                                                       \
        left[i] = a[i * row_step] * u + left[i];                                                                       \
        right[i] = a[i * row_step] * v + right[i];                                                                     \
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
      EACH_ROW sum[i] = a[i * row_step] * u + sum[i];                                                                  \
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
      VECTOR u = *(const VECTOR *)panel, v = *(const VECTOR *)(panel + LANES);                                         \
      EACH_ROW {                                                                                                       \
        left[i] = a[i] * u + left[i];                                                                                  \
        right[i] = a[i] * v + right[i];                                                                                \
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
  /* packed [rows, ROWS] = the columns first ..< first + ROWS of rows that lie anywhere. */                            \
  TARGET static void FAMILY(gather_##ROWS_)(const float *const *rows, int64_t count, int64_t first, float *packed) {   \
    for (int64_t r = 0; r < count; r++, packed += ROWS_) memcpy(packed, rows[r] + first, ROWS_ * sizeof(float));       \
  }

// packed [rows, 2 LANES] = the columns first ..< first + width of rows that lie anywhere, filled up with zeros.
TARGET static void FAMILY(gather_panel)(const float *const *rows, int64_t count, int64_t first, int64_t width,
                                        float *packed) {
  if (width == 2 * LANES) {
    for (int64_t r = 0; r < count; r++, packed += 2 * LANES) memcpy(packed, rows[r] + first, 2 * LANES * sizeof(float));
    return;
  }
  for (int64_t r = 0; r < count; r++, packed += 2 * LANES)
    for (int64_t j = 0; j < 2 * LANES; j++) packed[j] = j < width ? rows[r][first + j] : 0;
}

// c [rows, width] += tile [rows, 2 LANES].
TARGET static void FAMILY(add_tile)(const float *tile, int64_t rows, int64_t width, float *c, int64_t c_stride) {
  for (int64_t i = 0; i < rows; i++, tile += 2 * LANES, c += c_stride) {
    if (width == 2 * LANES) {
      for (int64_t j = 0; j < 2 * LANES; j++) c[j] += tile[j];
    } else {
      for (int64_t j = 0; j < width; j++) c[j] += tile[j];
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
    .name = FAMILY_NAME, .panel = 2 * LANES, .block = BLOCK, .product = {EACH_BLOCK(product)},
    .narrow = {EACH_BLOCK(narrow)}, .gradient = {EACH_BLOCK(gradient)}, .gather = {EACH_BLOCK(gather)},
    .gather_panel = FAMILY(gather_panel), .add_tile = FAMILY(add_tile)};

#undef VECTOR
#undef EACH_ROW
#undef PRODUCT_BLOCK
#undef NAMES
#undef EACH_BLOCK
#undef FAMILY
#undef FAMILY_NAME
#undef TARGET
#undef LANES
#undef BLOCK
