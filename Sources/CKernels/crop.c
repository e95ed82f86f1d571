// Cropping glimpses out of images.
#include "glimpse_workspace.h"

INLINE void blend(const float *a, const float *b, float u, float v, float *restrict out, int32_t count) {
  BY_LANES for (int32_t i = 0; i < count; i++) out[i] = u * a[i] + v * b[i];
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
