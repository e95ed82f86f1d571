#pragma once
// The spatial transformer: axis-aligned bilinear crops and pastes, separable in y and x.
// Along an axis every output reads two neighbouring inputs with weights (1 - a, a); inputs outside count as zero.
// Along y these are sums of two rows. Along x they gather; what would scatter is a product with a banded matrix.
//
// What cropping and pasting share: where each output of an axis reads, and which pixels an object touches.
#include "clones.h"
#include "glimpse.h"
#include "mathematics.h"

enum {
  LANES = 8,
  MAXIMUM_SIZE = 1024,
  MAXIMUM_GLIMPSE = 128,
  // An array longer than the largest image by a cache line, so that equal offsets in two arrays do not share a cache set.
  ROW = MAXIMUM_SIZE + 16,
};

// Rows of a box are short: one register at a time, without the unrolling that leaves most of a short row to the
// scalar rest.
#define BY_LANES _Pragma("clang loop vectorize_width(8) interleave_count(1)")
// The same for rows of a glimpse, which are shorter still: 20 cells are five times four.
#define BY_FOUR _Pragma("clang loop vectorize_width(4) interleave_count(1)")

typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));

typedef struct axis {
  float scale, shift, scale_slope, shift_slope;
} axis;

INLINE axis decode_axis(float scale_logit, float shift_logit, float minimum_scale) {
  float s = sigmoid(scale_logit), t = hyperbolic_tangent(shift_logit);
  // The clip changes the value only; the derivative is that of the unclipped sigmoid.
  axis out = {s < minimum_scale ? minimum_scale : s, t, s * (1.0f - s), 1.0f - t * t};
  return out;
}

/// The coordinate of cell `i` of `count` in [-1, 1].
INLINE float coordinate(int32_t i, int32_t count) { return -1.0f + 2.0f * (float)i / (float)(count - 1); }

/// For each output two taps: clamped indices, weights that are zero outside, and the derivative of each weight by the
/// position.
typedef struct taps {
  int32_t first[ROW], second[ROW];
  float first_weight[ROW], second_weight[ROW], first_slope[ROW], second_slope[ROW];
} taps;

INLINE void set_tap(taps *t, int32_t index, float position, int32_t size) {
  // Positions far outside, and NaN, need not be exact: they only have to stay outside and in the range of integers.
  position = minimum(maximum(position, -4.0f), (float)size + 4.0f);
  int32_t i = (int32_t)position;
  i -= position < (float)i;
  float a = position - (float)i;
  int in_first = i >= 0 && i < size, in_second = i + 1 >= 0 && i + 1 < size;
  t->first[index] = in_first ? i : 0;
  t->second[index] = in_second ? i + 1 : 0;
  t->first_weight[index] = in_first ? 1.0f - a : 0.0f;
  t->second_weight[index] = in_second ? a : 0.0f;
  t->first_slope[index] = in_first ? -1.0f : 0.0f;
  t->second_slope[index] = in_second ? 1.0f : 0.0f;
}

INLINE void crop_taps(axis a, int32_t image_size, int32_t glimpse_size, taps *t) {
  float half = 0.5f * (float)(image_size - 1);
  BY_FOUR for (int32_t i = 0; i < glimpse_size; i++)
    set_tap(t, i, (a.scale * coordinate(i, glimpse_size) + a.shift + 1.0f) * half, image_size);
}

/// The position of pixel `i` in the glimpse.
INLINE float paste_position(axis a, int32_t i, int32_t image_size, int32_t glimpse_size) {
  return ((coordinate(i, image_size) - a.shift) / a.scale + 1.0f) * (0.5f * (float)(glimpse_size - 1));
}

/// Taps of the pixels low..<high, that of pixel `low` first.
INLINE void paste_taps(axis a, int32_t image_size, int32_t glimpse_size, int32_t low, int32_t high, taps *t) {
  BY_LANES for (int32_t i = 0; i < high - low; i++)
    set_tap(t, i, paste_position(a, low + i, image_size, glimpse_size), glimpse_size);
}

typedef struct range {
  int32_t low, high;
} range;

/// The pixels that a glimpse can touch: positions rise with the pixel.
INLINE range touched_pixels(axis a, int32_t image_size, int32_t glimpse_size) {
  int32_t before = 0, behind = 0;
  BY_LANES for (int32_t i = 0; i < image_size; i++) {
    float position = paste_position(a, i, image_size, glimpse_size);
    int32_t is_inside = position >= -1.0f, is_behind = position >= (float)glimpse_size;
    before += 1 - is_inside;
    behind += is_behind;
  }
  range out = {before, image_size - behind};
  return out;
}

INLINE range within(range r, range limit) {
  range out = {r.low > limit.low ? r.low : limit.low, r.high < limit.high ? r.high : limit.high};
  return out;
}

/// The range, which is within `limit`, widened to whole registers as far as `limit` allows.
INLINE range widen(range r, range limit) {
  int32_t width = (r.high - r.low + LANES - 1) / LANES * LANES;
  if (width > limit.high - limit.low) width = limit.high - limit.low;
  range out = {r.low + width > limit.high ? limit.high - width : r.low, 0};
  out.high = out.low + width;
  return out;
}

/// The inputs that the taps of `count` outputs read.
INLINE range read_inputs(const taps *t, int32_t count, int32_t size) {
  int32_t low = size, high = 0;
  for (int32_t i = 0; i < count; i++) {
    if (t->first_slope[i] != 0.0f && t->first[i] < low) low = t->first[i];
    if (t->second_slope[i] != 0.0f && t->second[i] < low) low = t->second[i];
    if (t->first_slope[i] != 0.0f && t->first[i] >= high) high = t->first[i] + 1;
    if (t->second_slope[i] != 0.0f && t->second[i] >= high) high = t->second[i] + 1;
  }
  range out = {low < high ? low : 0, low < high ? high : 0};
  return out;
}

/// The taps of one row of a glimpse along y.
typedef struct row_tap {
  float first_weight, second_weight, first_slope, second_slope;
} row_tap;

INLINE row_tap tap_of_row(const taps *t, int32_t y) {
  row_tap out = {t->first_weight[y], t->second_weight[y], t->first_slope[y], t->second_slope[y]};
  return out;
}
