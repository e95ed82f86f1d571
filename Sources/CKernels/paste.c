// Pasting glimpses into the canvas of a frame.
#include "glimpse_workspace.h"
#include <string.h>

/// The values of a row of a glimpse at the pixel columns of its box.
INLINE void paste_row(const taps *t, const float *restrict in, float *restrict out, int32_t count) {
  BY_LANES for (int32_t x = 0; x < count; x++)
    out[x] = t->first_weight[x] * in[t->first[x]] + t->second_weight[x] * in[t->second[x]];
}

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

INLINE void add_blend(const float *a, const float *b, float u, float v, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] += u * a[i] + v * b[i];
}

INLINE void add_scaled(const float *restrict a, float u, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] += u * a[i];
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
