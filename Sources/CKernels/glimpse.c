// The spatial transformer: axis-aligned bilinear crops and pastes, separable in y and x.
// Along an axis every output reads two neighbouring inputs with weights (1 - a, a); inputs outside count as zero.
// Along y these are sums of two rows. Along x they gather; what would scatter is a product with a banded matrix.
#include "glimpse.h"
#include "clones.h"
#include "mathematics.h"
#include <stdlib.h>
#include <string.h>

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

/// The values of a row of a glimpse at the pixel columns of its box.
INLINE void paste_row(const taps *t, const float *restrict in, float *restrict out, int32_t count) {
  BY_LANES for (int32_t x = 0; x < count; x++)
    out[x] = t->first_weight[x] * in[t->first[x]] + t->second_weight[x] * in[t->second[x]];
}

/// The matrix from gradients of the taps' outputs to gradients of the inputs, by blocks of LANES inputs: `count[b]`
/// outputs from first[b] on contribute to block b, with weights in the rows from start[b] on.
typedef struct transposed_taps {
  int32_t blocks, first[MAXIMUM_GLIMPSE / LANES], count[MAXIMUM_GLIMPSE / LANES], start[MAXIMUM_GLIMPSE / LANES];
  // An output can contribute to two blocks.
  lanes weights[2 * MAXIMUM_SIZE];
} transposed_taps;

INLINE void transpose(const taps *t, int32_t outputs, int32_t inputs, transposed_taps *m) {
  int32_t high[MAXIMUM_GLIMPSE / LANES], used = 0;
  m->blocks = (inputs + LANES - 1) / LANES;
  for (int32_t b = 0; b < m->blocks; b++) m->first[b] = high[b] = 0;
  for (int32_t x = outputs - 1; x >= 0; x--) {
    if (t->first_slope[x] != 0.0f) m->first[t->first[x] / LANES] = x;
    if (t->second_slope[x] != 0.0f) m->first[t->second[x] / LANES] = x;
  }
  for (int32_t x = 0; x < outputs; x++) {
    if (t->first_slope[x] != 0.0f) high[t->first[x] / LANES] = x + 1;
    if (t->second_slope[x] != 0.0f) high[t->second[x] / LANES] = x + 1;
  }
  for (int32_t b = 0; b < m->blocks; b++) {
    m->count[b] = high[b] - m->first[b];
    m->start[b] = used;
    used += m->count[b];
  }
  for (int32_t k = 0; k < used; k++) m->weights[k] = (lanes){0};
  for (int32_t x = 0; x < outputs; x++) {
    int32_t f = t->first[x], s = t->second[x];
    if (t->first_slope[x] != 0.0f)
      m->weights[m->start[f / LANES] + x - m->first[f / LANES]][f % LANES] = t->first_weight[x];
    if (t->second_slope[x] != 0.0f)
      m->weights[m->start[s / LANES] + x - m->first[s / LANES]][s % LANES] = t->second_weight[x];
  }
}

/// out [rows, whole blocks] = in [rows, outputs of the taps] times the transposed matrix.
INLINE void multiply(const float *restrict in, int64_t in_stride, const transposed_taps *m, float *restrict out,
                     int64_t out_stride, int32_t rows) {
  enum { GROUP = 4 };
  for (int32_t b = 0; b < m->blocks; b++) {
    const lanes *weights = m->weights + m->start[b];
    int32_t count = m->count[b], y = 0;
    for (; y + GROUP <= rows; y += GROUP) {
      const float *from = in + y * in_stride + m->first[b], *row[GROUP];
      lanes sum[GROUP];
      for (int i = 0; i < GROUP; i++) {
        row[i] = from + i * in_stride;
        sum[i] = (lanes){0};
      }
      for (int32_t k = 0; k < count; k++)
        for (int i = 0; i < GROUP; i++) sum[i] += row[i][k] * weights[k];
      for (int i = 0; i < GROUP; i++) *(lanes *)(out + (y + i) * out_stride + b * LANES) = sum[i];
    }
    for (; y < rows; y++) {
      const float *from = in + y * in_stride + m->first[b];
      lanes sum = {0};
      for (int32_t k = 0; k < count; k++) sum += from[k] * weights[k];
      *(lanes *)(out + y * out_stride + b * LANES) = sum;
    }
  }
}

INLINE void blend(const float *a, const float *b, float u, float v, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] = u * a[i] + v * b[i];
}

INLINE void add_blend(const float *a, const float *b, float u, float v, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] += u * a[i] + v * b[i];
}

INLINE void add_scaled(const float *restrict a, float u, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] += u * a[i];
}

/// Working memory of one row: intermediate images of a glimpse's height and an image's width, or the reverse.
typedef struct workspace {
  taps x, y;
  transposed_taps transposed;
  float rows[4][MAXIMUM_GLIMPSE * ROW];
} workspace;

/// The calling thread's workspace, kept until the process ends. It is not a thread-local array, because those take memory
/// from the stack of every thread, including threads that never call this.
static workspace *thread_workspace(void) {
  static _Thread_local workspace *space;
  if (!space) space = malloc(sizeof *space);
  if (!space) abort();
  return space;
}

INLINE void crop_row(const taps *t, const float *restrict in, float *restrict out, int32_t count) {
  BY_FOUR for (int32_t x = 0; x < count; x++)
    out[x] = t->first_weight[x] * in[t->first[x]] + t->second_weight[x] * in[t->second[x]];
}

VECTOR_CLONES
void kernel_crop(kernel_geometry g, const float *images, const int32_t *image, const float *where,
                 int64_t where_stride, float *glimpse, int64_t glimpse_stride, int64_t rows) {
  workspace *w = thread_workspace();
  int32_t H = g.image_height, W = g.image_width, gh = g.glimpse_height, gw = g.glimpse_width;
  range all = {0, W};
  float blended[ROW];
  for (int64_t r = 0; r < rows; r++) {
    const float *I = images + (int64_t)image[r] * H * W, *l = where + r * where_stride;
    float *out = glimpse + r * glimpse_stride;
    crop_taps(decode_axis(l[0], l[2], g.minimum_scale), W, gw, &w->x);
    crop_taps(decode_axis(l[1], l[3], g.minimum_scale), H, gh, &w->y);
    range read = widen(read_inputs(&w->x, gw, W), all);
    // Taps outside have weight zero at input 0, which must hold a number.
    blended[0] = 0;
    for (int32_t y = 0; y < gh; y++) {
      blend(I + (int64_t)w->y.first[y] * W + read.low, I + (int64_t)w->y.second[y] * W + read.low,
            w->y.first_weight[y], w->y.second_weight[y], blended + read.low, read.high - read.low);
      crop_row(&w->x, blended, out + y * gw, gw);
    }
  }
}

/// dimage += the gradient of the image from the crop at the workspace's taps.
INLINE void scatter_crop(const workspace *w, kernel_geometry g, const float *d, float *dimage) {
  const taps *tx = &w->x, *ty = &w->y;
  for (int32_t y = 0; y < g.glimpse_height; y++) {
    const float *dy = d + y * g.glimpse_width;
    float *top = dimage + (int64_t)ty->first[y] * g.image_width;
    float *bottom = dimage + (int64_t)ty->second[y] * g.image_width;
    float a = ty->first_weight[y], b = ty->second_weight[y];
    for (int32_t x = 0; x < g.glimpse_width; x++) {
      top[tx->first[x]] += a * tx->first_weight[x] * dy[x];
      top[tx->second[x]] += a * tx->second_weight[x] * dy[x];
      bottom[tx->first[x]] += b * tx->first_weight[x] * dy[x];
      bottom[tx->second[x]] += b * tx->second_weight[x] * dy[x];
    }
  }
}

/// The values of a row of an image at the glimpse's columns, and their derivatives by the columns' positions.
INLINE void crop_row_slopes(const taps *t, const float *restrict in, float *restrict values, float *restrict slopes,
                            int32_t count) {
  BY_FOUR for (int32_t x = 0; x < count; x++) {
    float first = in[t->first[x]], second = in[t->second[x]];
    values[x] = t->first_weight[x] * first + t->second_weight[x] * second;
    slopes[x] = t->first_slope[x] * first + t->second_slope[x] * second;
  }
}

/// The taps of one row of a glimpse along y.
typedef struct row_tap {
  float first_weight, second_weight, first_slope, second_slope;
} row_tap;

INLINE row_tap tap_of_row(const taps *t, int32_t y) {
  row_tap out = {t->first_weight[y], t->second_weight[y], t->first_slope[y], t->second_slope[y]};
  return out;
}

/// Sums over rows: along_x of d by the position of each column; of d by the position of the row, and of u times it.
typedef struct crop_sums {
  float along_x[MAXIMUM_GLIMPSE], along_y[MAXIMUM_GLIMPSE], scaled[MAXIMUM_GLIMPSE];
} crop_sums;

INLINE void add_crop_row(const float *restrict d, const float *restrict top, const float *restrict bottom,
                         const float *restrict top_slope, const float *restrict bottom_slope, row_tap t, float u,
                         crop_sums *restrict sums, int32_t count) {
  BY_FOUR for (int32_t x = 0; x < count; x++) {
    float by_y = d[x] * (t.first_slope * top[x] + t.second_slope * bottom[x]);
    sums->along_x[x] += d[x] * (t.first_weight * top_slope[x] + t.second_weight * bottom_slope[x]);
    sums->along_y[x] += by_y;
    sums->scaled[x] += u * by_y;
  }
}

VECTOR_CLONES
void kernel_crop_backward(kernel_geometry g, const float *images, float *dimages, const int32_t *image,
                          const float *where, float *dwhere, int64_t where_stride, const float *dglimpse,
                          int64_t glimpse_stride, int64_t rows) {
  workspace *w = thread_workspace();
  int32_t H = g.image_height, W = g.image_width, gh = g.glimpse_height, gw = g.glimpse_width;
  float *values = w->rows[0], *slopes = w->rows[1];
  crop_sums sums;
  for (int64_t r = 0; r < rows; r++) {
    const float *I = images + (int64_t)image[r] * H * W, *l = where + r * where_stride;
    const float *d = dglimpse + r * glimpse_stride;
    axis ax = decode_axis(l[0], l[2], g.minimum_scale), ay = decode_axis(l[1], l[3], g.minimum_scale);
    crop_taps(ax, W, gw, &w->x);
    crop_taps(ay, H, gh, &w->y);
    if (dimages) scatter_crop(w, g, d, dimages + (int64_t)image[r] * H * W);
    if (!dwhere) continue;
    range read = read_inputs(&w->y, gh, H);
    if (read.low == read.high) continue;
    for (int32_t y = read.low; y < read.high; y++) {
      int64_t start = (int64_t)(y - read.low) * gw;
      crop_row_slopes(&w->x, I + (int64_t)y * W, values + start, slopes + start, gw);
    }
    for (int32_t x = 0; x < gw; x++) sums.along_x[x] = sums.along_y[x] = sums.scaled[x] = 0;
    for (int32_t y = 0; y < gh; y++) {
      // Taps outside have weight and slope zero at row 0, which may not have been read.
      int64_t top = (int64_t)(w->y.first_slope[y] != 0.0f ? w->y.first[y] - read.low : 0) * gw;
      int64_t bottom = (int64_t)(w->y.second_slope[y] != 0.0f ? w->y.second[y] - read.low : 0) * gw;
      add_crop_row(d + y * gw, values + top, values + bottom, slopes + top, slopes + bottom, tap_of_row(&w->y, y),
                   coordinate(y, gh), &sums, gw);
    }
    float scale[2] = {0, 0}, shift[2] = {0, 0};
    for (int32_t x = 0; x < gw; x++) {
      scale[0] += sums.along_x[x] * coordinate(x, gw);
      shift[0] += sums.along_x[x];
      scale[1] += sums.scaled[x];
      shift[1] += sums.along_y[x];
    }
    float *out = dwhere + r * where_stride, half_w = 0.5f * (float)(W - 1), half_h = 0.5f * (float)(H - 1);
    out[0] += scale[0] * half_w * ax.scale_slope;
    out[1] += scale[1] * half_h * ay.scale_slope;
    out[2] += shift[0] * half_w * ax.shift_slope;
    out[3] += shift[1] * half_h * ay.shift_slope;
  }
}

VECTOR_CLONES
kernel_window kernel_drawing_window(kernel_geometry g, const float *where, int64_t where_stride,
                                    const int32_t *objects, int64_t count) {
  range all = {0, g.image_width}, columns = {g.image_width, 0}, rows = {g.image_height, 0};
  for (int64_t k = 0; k < count; k++) {
    const float *l = where + objects[k] * where_stride;
    range x = touched_pixels(decode_axis(l[0], l[2], g.minimum_scale), g.image_width, g.glimpse_width);
    range y = touched_pixels(decode_axis(l[1], l[3], g.minimum_scale), g.image_height, g.glimpse_height);
    if (x.low >= x.high || y.low >= y.high) continue;
    if (x.low < columns.low) columns.low = x.low;
    if (x.high > columns.high) columns.high = x.high;
    if (y.low < rows.low) rows.low = y.low;
    if (y.high > rows.high) rows.high = y.high;
  }
  if (columns.low >= columns.high) return (kernel_window){0, 0, 0, 0};
  columns = widen(columns, all);
  return (kernel_window){columns.low, rows.low, columns.high - columns.low, rows.high - rows.low};
}

/// The pixels of a window that an object touches, its columns widened to whole registers.
typedef struct box {
  axis ax, ay;
  range columns, rows;
} box;

/// Sets the workspace's taps to those of the pixels of the object's box.
INLINE box place_object(workspace *w, kernel_geometry g, const float where[4], kernel_window window) {
  range limit = {window.x, window.x + window.width}, row_limit = {window.y, window.y + window.height};
  box b;
  b.ax = decode_axis(where[0], where[2], g.minimum_scale);
  b.ay = decode_axis(where[1], where[3], g.minimum_scale);
  b.columns = within(touched_pixels(b.ax, g.image_width, g.glimpse_width), limit);
  b.rows = within(touched_pixels(b.ay, g.image_height, g.glimpse_height), row_limit);
  if (b.columns.low >= b.columns.high || b.rows.low >= b.rows.high) {
    b.columns.high = b.columns.low;
    b.rows.high = b.rows.low;
    return b;
  }
  b.columns = widen(b.columns, limit);
  paste_taps(b.ax, g.image_width, g.glimpse_width, b.columns.low, b.columns.high, &w->x);
  paste_taps(b.ay, g.image_height, g.glimpse_height, b.rows.low, b.rows.high, &w->y);
  return b;
}

VECTOR_CLONES
void kernel_paste(kernel_geometry g, const float *glimpse, const float where[4], kernel_window window, float *canvas,
                  float *coverage) {
  workspace *w = thread_workspace();
  box b = place_object(w, g, where, window);
  int32_t width = b.columns.high - b.columns.low;
  if (width == 0) return;
  float cover[ROW], *columns = w->rows[0];
  int64_t stride = width;
  for (int32_t y = 0; y < g.glimpse_height; y++)
    paste_row(&w->x, glimpse + y * g.glimpse_width, columns + y * stride, width);
  for (int32_t x = 0; x < width; x++) cover[x] = w->x.first_weight[x] + w->x.second_weight[x];
  for (int32_t y = 0; y < b.rows.high - b.rows.low; y++) {
    int64_t start = (int64_t)(b.rows.low + y - window.y) * window.width + b.columns.low - window.x;
    float first = w->y.first_weight[y], second = w->y.second_weight[y];
    add_blend(columns + w->y.first[y] * stride, columns + w->y.second[y] * stride, first, second, canvas + start,
              width);
    add_scaled(cover, first + second, coverage + start, width);
  }
}

/// The values of a row of a glimpse at the pixel columns of its box, and their derivatives by the columns' positions.
INLINE void paste_row_slopes(const taps *t, const float *restrict in, float *restrict values, float *restrict slopes,
                             int32_t count) {
  BY_LANES for (int32_t x = 0; x < count; x++) {
    float first = in[t->first[x]], second = in[t->second[x]];
    values[x] = t->first_weight[x] * first + t->second_weight[x] * second;
    slopes[x] = t->first_slope[x] * first + t->second_slope[x] * second;
  }
}

/// Sums over the rows of a box: of d by the position of the row, of v times it, and the gradient of the coverage's
/// factor along x.
typedef struct paste_sums {
  float shift[ROW], scale[ROW], cover[ROW], along_x[ROW];
} paste_sums;

INLINE void add_paste_row(const float *restrict d, const float *restrict dc, const float *restrict top,
                          const float *restrict bottom, const float *restrict cover, row_tap t, float v,
                          paste_sums *restrict sums, int32_t count) {
  float weight = t.first_weight + t.second_weight, change = t.first_slope + t.second_slope;
  BY_LANES for (int32_t x = 0; x < count; x++) {
    float slope = d[x] * (t.first_slope * top[x] + t.second_slope * bottom[x]) + change * dc[x] * cover[x];
    sums->shift[x] += slope;
    sums->scale[x] += v * slope;
    sums->cover[x] += weight * dc[x];
  }
}

INLINE void add_products(const float *restrict a, const float *restrict b, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] += a[i] * b[i];
}

VECTOR_CLONES
void kernel_paste_backward(kernel_geometry g, const float *glimpse, float *dglimpse, const float where[4],
                           float dwhere[4], kernel_window window, const float *dcanvas, const float *dcoverage) {
  workspace *w = thread_workspace();
  int32_t gh = g.glimpse_height, gw = g.glimpse_width;
  box b = place_object(w, g, where, window);
  int32_t width = b.columns.high - b.columns.low;
  if (width == 0) return;
  transpose(&w->x, width, gw, &w->transposed);
  float cover[ROW];
  paste_sums sums;
  float *columns = w->rows[0], *slopes = w->rows[1], *dcolumns = w->rows[2], *dcells = w->rows[3];
  int64_t stride = width, cells = w->transposed.blocks * LANES;
  for (int32_t y = 0; y < gh; y++)
    paste_row_slopes(&w->x, glimpse + y * gw, columns + y * stride, slopes + y * stride, width);
  memset(dcolumns, 0, (size_t)(gh * stride) * sizeof(float));
  for (int32_t x = 0; x < width; x++) {
    cover[x] = w->x.first_weight[x] + w->x.second_weight[x];
    sums.shift[x] = sums.scale[x] = sums.cover[x] = sums.along_x[x] = 0;
  }
  for (int32_t y = 0; y < b.rows.high - b.rows.low; y++) {
    int64_t start = (int64_t)(b.rows.low + y - window.y) * window.width + b.columns.low - window.x;
    int64_t top = w->y.first[y] * stride, bottom = w->y.second[y] * stride;
    const float *d = dcanvas + start;
    row_tap t = tap_of_row(&w->y, y);
    add_paste_row(d, dcoverage + start, columns + top, columns + bottom, cover, t,
                  coordinate(b.rows.low + y, g.image_height) - b.ay.shift, &sums, width);
    add_scaled(d, t.first_weight, dcolumns + top, width);
    add_scaled(d, t.second_weight, dcolumns + bottom, width);
  }
  for (int32_t y = 0; y < gh; y++) add_products(dcolumns + y * stride, slopes + y * stride, sums.along_x, width);
  // position = ((v - shift) / scale + 1) half, so its derivatives are -half / scale and -(v - shift) half / scale^2.
  float half_h = 0.5f * (float)(gh - 1), half_w = 0.5f * (float)(gw - 1), shift[2] = {0, 0}, scale[2] = {0, 0};
  for (int32_t x = 0; x < width; x++) {
    float slope = sums.along_x[x] + (w->x.first_slope[x] + w->x.second_slope[x]) * sums.cover[x];
    shift[0] -= slope;
    scale[0] -= slope * (coordinate(b.columns.low + x, g.image_width) - b.ax.shift);
    shift[1] -= sums.shift[x];
    scale[1] -= sums.scale[x];
  }
  dwhere[0] += scale[0] * half_w / (b.ax.scale * b.ax.scale) * b.ax.scale_slope;
  dwhere[1] += scale[1] * half_h / (b.ay.scale * b.ay.scale) * b.ay.scale_slope;
  dwhere[2] += shift[0] * half_w / b.ax.scale * b.ax.shift_slope;
  dwhere[3] += shift[1] * half_h / b.ay.scale * b.ay.shift_slope;
  multiply(dcolumns, stride, &w->transposed, dcells, cells, gh);
  for (int32_t y = 0; y < gh; y++)
    for (int32_t x = 0; x < gw; x++) dglimpse[y * gw + x] += dcells[y * cells + x];
}

VECTOR_CLONES
float kernel_bare_mask(float offset) { return sigmoid(offset); }

VECTOR_CLONES
double kernel_bare_squares(const float *frame, const float *background, float mask, int64_t pixels) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (int64_t i = 0; i < pixels; i++) {
    float difference = frame[i] - background[i] * mask;
    sum += difference * difference;
  }
  return sum;
}

VECTOR_CLONES
void kernel_bare_backward(const float *frame, const float *background, float mask, float factor,
                          float *restrict dbackground, int64_t pixels) {
  for (int64_t i = 0; i < pixels; i++) dbackground[i] += factor * (frame[i] - background[i] * mask) * mask;
}

INLINE void paint_row(const float *restrict frame, const float *restrict background, float *restrict mean,
                      float *restrict mask, float offset, float slope, float bare, float *restrict sum,
                      int32_t count) {
  BY_LANES for (int32_t x = 0; x < count; x++) {
    float m = sigmoid(offset + slope * mask[x]), value = mean[x] + background[x] * m;
    float difference = frame[x] - value, without = frame[x] - background[x] * bare;
    mask[x] = m;
    mean[x] = value;
    sum[x] += difference * difference - without * without;
  }
}

VECTOR_CLONES
double kernel_paint(kernel_geometry g, kernel_window window, const float *frame, const float *background, float *mean,
                    float *mask, float offset, float slope) {
  float sum[ROW], bare = sigmoid(offset);
  for (int32_t x = 0; x < window.width; x++) sum[x] = 0;
  for (int32_t y = 0; y < window.height; y++) {
    int64_t pixel = (int64_t)(window.y + y) * g.image_width + window.x, start = (int64_t)y * window.width;
    paint_row(frame + pixel, background + pixel, mean + start, mask + start, offset, slope, bare, sum, window.width);
  }
  double total = 0;
  for (int32_t x = 0; x < window.width; x++) total += (double)sum[x];
  return total;
}

INLINE void paint_row_backward(const float *restrict frame, const float *restrict background,
                               float *restrict dbackground, const float *restrict mean, const float *restrict mask,
                               float slope, float bare, float factor, float *restrict dcanvas,
                               float *restrict dcoverage, int32_t count) {
  BY_LANES for (int32_t x = 0; x < count; x++) {
    float d = factor * (frame[x] - mean[x]), m = mask[x];
    dcanvas[x] = d;
    dcoverage[x] = d * background[x] * m * (1.0f - m) * slope;
    dbackground[x] += d * m - factor * (frame[x] - background[x] * bare) * bare;
  }
}

VECTOR_CLONES
void kernel_paint_backward(kernel_geometry g, kernel_window window, const float *frame, const float *background,
                           float *dbackground, const float *mean, const float *mask, float offset, float slope,
                           float factor, float *dcanvas, float *dcoverage) {
  float bare = sigmoid(offset);
  for (int32_t y = 0; y < window.height; y++) {
    int64_t pixel = (int64_t)(window.y + y) * g.image_width + window.x, start = (int64_t)y * window.width;
    paint_row_backward(frame + pixel, background + pixel, dbackground + pixel, mean + start, mask + start, slope, bare,
                       factor, dcanvas + start, dcoverage + start, window.width);
  }
}
