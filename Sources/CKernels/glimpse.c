// The spatial transformer: axis-aligned bilinear crops and pastes, separable in y and x.
// Along an axis every output reads two neighbouring inputs with weights (1 - a, a); inputs outside count as zero.
#include "glimpse.h"
#include "clones.h"
#include "mathematics.h"
#include <math.h>
#include <string.h>

enum { MAXIMUM_SIZE = 1024, MAXIMUM_GLIMPSE = 128 };

typedef struct axis {
  float scale, shift, scale_slope, shift_slope;
} axis;

static inline axis decode_axis(float scale_logit, float shift_logit, float minimum_scale) {
  float s = 1.0f / (1.0f + expf(-scale_logit)), t = tanhf(shift_logit);
  // The clip changes the value only; the derivative is that of the unclipped sigmoid.
  axis out = {s < minimum_scale ? minimum_scale : s, t, s * (1.0f - s), 1.0f - t * t};
  return out;
}

/// Two taps: clamped indices, weights that are zero outside, and the derivative of each weight by the position.
typedef struct tap {
  int32_t first, second;
  float first_weight, second_weight, first_slope, second_slope;
} tap;

static inline tap make_tap(float position, int32_t size) {
  // Far away positions need no exact value, only to stay outside and inside the integer range.
  position = fminf(fmaxf(position, -4.0f), (float)size + 4.0f);
  float f = floorf(position), a = position - f;
  int32_t i = (int32_t)f;
  int in_first = i >= 0 && i < size, in_second = i + 1 >= 0 && i + 1 < size;
  tap t;
  t.first = in_first ? i : 0;
  t.second = in_second ? i + 1 : 0;
  t.first_weight = in_first ? 1.0f - a : 0.0f;
  t.second_weight = in_second ? a : 0.0f;
  t.first_slope = in_first ? -1.0f : 0.0f;
  t.second_slope = in_second ? 1.0f : 0.0f;
  return t;
}

static inline void crop_taps(axis a, int32_t image_size, int32_t glimpse_size, tap *taps) {
  float half = 0.5f * (float)(image_size - 1);
  for (int32_t i = 0; i < glimpse_size; i++) {
    float u = -1.0f + 2.0f * (float)i / (float)(glimpse_size - 1);
    taps[i] = make_tap((a.scale * u + a.shift + 1.0f) * half, image_size);
  }
}

/// Taps of the pixels [*low, *high) that a glimpse can touch.
static inline void paste_taps(axis a, int32_t image_size, int32_t glimpse_size, tap *taps, int32_t *low,
                              int32_t *high) {
  float half = 0.5f * (float)(glimpse_size - 1);
  *low = image_size;
  *high = 0;
  for (int32_t i = 0; i < image_size; i++) {
    float v = -1.0f + 2.0f * (float)i / (float)(image_size - 1);
    taps[i] = make_tap(((v - a.shift) / a.scale + 1.0f) * half, glimpse_size);
    if (taps[i].first_slope != 0.0f || taps[i].second_slope != 0.0f) {
      if (i < *low) *low = i;
      *high = i + 1;
    }
  }
  if (*low > *high) *low = *high;
}

VECTOR_CLONES
void kernel_crop(kernel_geometry g, const float *images, const int32_t *image, const float *where,
                 int64_t where_stride, float *glimpse, int64_t glimpse_stride, int64_t rows) {
  tap ty[MAXIMUM_GLIMPSE], tx[MAXIMUM_GLIMPSE];
  int32_t x0[MAXIMUM_GLIMPSE], x1[MAXIMUM_GLIMPSE];
  float w0[MAXIMUM_GLIMPSE], w1[MAXIMUM_GLIMPSE], blended[MAXIMUM_SIZE];
  int32_t H = g.image_height, W = g.image_width, gh = g.glimpse_height, gw = g.glimpse_width;
  for (int64_t r = 0; r < rows; r++) {
    const float *I = images + (int64_t)image[r] * H * W, *l = where + r * where_stride;
    float *restrict out = glimpse + r * glimpse_stride;
    crop_taps(decode_axis(l[0], l[2], g.minimum_scale), W, gw, tx);
    crop_taps(decode_axis(l[1], l[3], g.minimum_scale), H, gh, ty);
    for (int32_t x = 0; x < gw; x++) {
      x0[x] = tx[x].first;
      x1[x] = tx[x].second;
      w0[x] = tx[x].first_weight;
      w1[x] = tx[x].second_weight;
    }
    for (int32_t y = 0; y < gh; y++) {
      const float *top = I + (int64_t)ty[y].first * W, *bottom = I + (int64_t)ty[y].second * W;
      float a = ty[y].first_weight, b = ty[y].second_weight;
      for (int32_t x = 0; x < W; x++) blended[x] = a * top[x] + b * bottom[x];
      for (int32_t x = 0; x < gw; x++) out[y * gw + x] = w0[x] * blended[x0[x]] + w1[x] * blended[x1[x]];
    }
  }
}

VECTOR_CLONES
void kernel_crop_backward(kernel_geometry g, const float *images, float *dimages, const int32_t *image,
                          const float *where, float *dwhere, int64_t where_stride, const float *dglimpse,
                          int64_t glimpse_stride, int64_t rows) {
#pragma clang fp reassociate(on)
  tap ty[MAXIMUM_GLIMPSE], tx[MAXIMUM_GLIMPSE];
  int32_t x0[MAXIMUM_GLIMPSE], x1[MAXIMUM_GLIMPSE];
  float w0[MAXIMUM_GLIMPSE], w1[MAXIMUM_GLIMPSE], s0[MAXIMUM_GLIMPSE], s1[MAXIMUM_GLIMPSE];
  float dpx[MAXIMUM_GLIMPSE], dpy[MAXIMUM_GLIMPSE], blended[MAXIMUM_SIZE], slope[MAXIMUM_SIZE];
  int32_t H = g.image_height, W = g.image_width, gh = g.glimpse_height, gw = g.glimpse_width;
  for (int64_t r = 0; r < rows; r++) {
    const float *I = images + (int64_t)image[r] * H * W, *l = where + r * where_stride;
    const float *d = dglimpse + r * glimpse_stride;
    axis ax = decode_axis(l[0], l[2], g.minimum_scale), ay = decode_axis(l[1], l[3], g.minimum_scale);
    crop_taps(ax, W, gw, tx);
    crop_taps(ay, H, gh, ty);
    for (int32_t x = 0; x < gw; x++) {
      x0[x] = tx[x].first;
      x1[x] = tx[x].second;
      w0[x] = tx[x].first_weight;
      w1[x] = tx[x].second_weight;
      s0[x] = tx[x].first_slope;
      s1[x] = tx[x].second_slope;
      dpx[x] = 0;
    }
    for (int32_t y = 0; y < gh; y++) {
      const float *top = I + (int64_t)ty[y].first * W, *bottom = I + (int64_t)ty[y].second * W, *dy = d + y * gw;
      float a = ty[y].first_weight, b = ty[y].second_weight, sa = ty[y].first_slope, sb = ty[y].second_slope;
      for (int32_t x = 0; x < W; x++) {
        blended[x] = a * top[x] + b * bottom[x];
        slope[x] = sa * top[x] + sb * bottom[x];
      }
      float sum = 0;
      for (int32_t x = 0; x < gw; x++) {
        dpx[x] += dy[x] * (s0[x] * blended[x0[x]] + s1[x] * blended[x1[x]]);
        sum += dy[x] * (w0[x] * slope[x0[x]] + w1[x] * slope[x1[x]]);
      }
      dpy[y] = sum;
      if (dimages) {
        float *dtop = dimages + (int64_t)image[r] * H * W + (int64_t)ty[y].first * W;
        float *dbottom = dimages + (int64_t)image[r] * H * W + (int64_t)ty[y].second * W;
        for (int32_t x = 0; x < gw; x++) {
          dtop[x0[x]] += a * w0[x] * dy[x];
          dtop[x1[x]] += a * w1[x] * dy[x];
          dbottom[x0[x]] += b * w0[x] * dy[x];
          dbottom[x1[x]] += b * w1[x] * dy[x];
        }
      }
    }
    if (!dwhere) continue;
    float scale_x = 0, shift_x = 0, scale_y = 0, shift_y = 0;
    for (int32_t x = 0; x < gw; x++) {
      scale_x += dpx[x] * (-1.0f + 2.0f * (float)x / (float)(gw - 1));
      shift_x += dpx[x];
    }
    for (int32_t y = 0; y < gh; y++) {
      scale_y += dpy[y] * (-1.0f + 2.0f * (float)y / (float)(gh - 1));
      shift_y += dpy[y];
    }
    float *out = dwhere + r * where_stride, half_w = 0.5f * (float)(W - 1), half_h = 0.5f * (float)(H - 1);
    out[0] += scale_x * half_w * ax.scale_slope;
    out[1] += scale_y * half_h * ay.scale_slope;
    out[2] += shift_x * half_w * ax.shift_slope;
    out[3] += shift_y * half_h * ay.shift_slope;
  }
}

/// columns[g][x] = the glimpse's row g at the pixel columns low..<high.
static inline __attribute__((always_inline)) void expand_columns(const float *glimpse, int32_t gh, int32_t gw,
                                                                  const tap *tx, int32_t low, int32_t high,
                                                                  float *columns, int64_t stride) {
  for (int32_t y = 0; y < gh; y++) {
    const float *row = glimpse + (int64_t)y * gw;
    float *restrict out = columns + y * stride;
    for (int32_t x = low; x < high; x++)
      out[x] = tx[x].first_weight * row[tx[x].first] + tx[x].second_weight * row[tx[x].second];
  }
}

VECTOR_CLONES
void kernel_paste(kernel_geometry g, const float *glimpse, const float where[4], float *canvas, float *coverage) {
  static _Thread_local float columns[MAXIMUM_GLIMPSE * MAXIMUM_SIZE];
  tap ty[MAXIMUM_SIZE], tx[MAXIMUM_SIZE];
  float cover[MAXIMUM_SIZE];
  int32_t H = g.image_height, W = g.image_width, x_low, x_high, y_low, y_high;
  int64_t stride = W;
  paste_taps(decode_axis(where[0], where[2], g.minimum_scale), W, g.glimpse_width, tx, &x_low, &x_high);
  paste_taps(decode_axis(where[1], where[3], g.minimum_scale), H, g.glimpse_height, ty, &y_low, &y_high);
  if (canvas) expand_columns(glimpse, g.glimpse_height, g.glimpse_width, tx, x_low, x_high, columns, stride);
  for (int32_t x = x_low; x < x_high; x++) cover[x] = tx[x].first_weight + tx[x].second_weight;
  for (int32_t y = y_low; y < y_high; y++) {
    float a = ty[y].first_weight, b = ty[y].second_weight;
    if (canvas) {
      const float *top = columns + ty[y].first * stride;
      const float *bottom = columns + ty[y].second * stride;
      float *restrict out = canvas + (int64_t)y * W;
      for (int32_t x = x_low; x < x_high; x++) out[x] += a * top[x] + b * bottom[x];
    }
    if (coverage) {
      float *restrict out = coverage + (int64_t)y * W;
      for (int32_t x = x_low; x < x_high; x++) out[x] += (a + b) * cover[x];
    }
  }
}

VECTOR_CLONES
void kernel_paste_backward(kernel_geometry g, const float *glimpse, float *dglimpse, const float where[4],
                           float dwhere[4], const float *dcanvas, const float *dcoverage) {
#pragma clang fp reassociate(on)
  static _Thread_local float columns[MAXIMUM_GLIMPSE * MAXIMUM_SIZE], dcolumns[MAXIMUM_GLIMPSE * MAXIMUM_SIZE];
  tap ty[MAXIMUM_SIZE], tx[MAXIMUM_SIZE];
  float cover[MAXIMUM_SIZE], dcover[MAXIMUM_SIZE];
  int32_t H = g.image_height, W = g.image_width, gh = g.glimpse_height, gw = g.glimpse_width;
  int32_t x_low, x_high, y_low, y_high;
  int64_t stride = W;
  axis ax = decode_axis(where[0], where[2], g.minimum_scale), ay = decode_axis(where[1], where[3], g.minimum_scale);
  paste_taps(ax, W, gw, tx, &x_low, &x_high);
  paste_taps(ay, H, gh, ty, &y_low, &y_high);
  expand_columns(glimpse, gh, gw, tx, x_low, x_high, columns, stride);
  for (int32_t y = 0; y < gh; y++)
    for (int32_t x = x_low; x < x_high; x++) dcolumns[y * stride + x] = 0;
  for (int32_t x = x_low; x < x_high; x++) {
    cover[x] = tx[x].first_weight + tx[x].second_weight;
    dcover[x] = 0;
  }
  // position = ((v - shift) / scale + 1) half, so its derivatives are -half / scale and -(v - shift) half / scale^2.
  float half_h = 0.5f * (float)(gh - 1), half_w = 0.5f * (float)(gw - 1), dscale = 0, dshift = 0;
  for (int32_t y = y_low; y < y_high; y++) {
    float a = ty[y].first_weight, b = ty[y].second_weight, sa = ty[y].first_slope, sb = ty[y].second_slope;
    const float *d = dcanvas + (int64_t)y * W;
    const float *top = columns + ty[y].first * stride;
    const float *bottom = columns + ty[y].second * stride;
    float *dtop = dcolumns + ty[y].first * stride;
    float *dbottom = dcolumns + ty[y].second * stride;
    float sum = 0;
    for (int32_t x = x_low; x < x_high; x++) sum += d[x] * (sa * top[x] + sb * bottom[x]);
    for (int32_t x = x_low; x < x_high; x++) dtop[x] += a * d[x];
    for (int32_t x = x_low; x < x_high; x++) dbottom[x] += b * d[x];
    if (dcoverage) {
      const float *dc = dcoverage + (int64_t)y * W;
      float part = 0;
      for (int32_t x = x_low; x < x_high; x++) {
        part += dc[x] * cover[x];
        dcover[x] += (a + b) * dc[x];
      }
      sum += (sa + sb) * part;
    }
    float v = -1.0f + 2.0f * (float)y / (float)(H - 1);
    dshift -= sum * half_h / ay.scale;
    dscale -= sum * half_h * (v - ay.shift) / (ay.scale * ay.scale);
  }
  dwhere[1] += dscale * ay.scale_slope;
  dwhere[3] += dshift * ay.shift_slope;
  dscale = 0;
  dshift = 0;
  for (int32_t x = x_low; x < x_high; x++) {
    tap t = tx[x];
    float sum = (t.first_slope + t.second_slope) * dcover[x];
    for (int32_t y = 0; y < gh; y++) {
      float d = dcolumns[y * stride + x];
      const float *row = glimpse + (int64_t)y * gw;
      sum += d * (t.first_slope * row[t.first] + t.second_slope * row[t.second]);
      dglimpse[(int64_t)y * gw + t.first] += t.first_weight * d;
      dglimpse[(int64_t)y * gw + t.second] += t.second_weight * d;
    }
    float v = -1.0f + 2.0f * (float)x / (float)(W - 1);
    dshift -= sum * half_w / ax.scale;
    dscale -= sum * half_w * (v - ax.shift) / (ax.scale * ax.scale);
  }
  dwhere[0] += dscale * ax.scale_slope;
  dwhere[2] += dshift * ax.shift_slope;
}

VECTOR_CLONES
float kernel_paint(const float *frame, const float *background, float *restrict mean, float *restrict mask,
                   float offset, float slope, float deviation, int64_t pixels) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (int64_t i = 0; i < pixels; i++) {
    float m = sigmoid(offset + slope * mask[i]);
    float value = mean[i] + background[i] * m, difference = frame[i] - value;
    mask[i] = m;
    mean[i] = value;
    sum += difference * difference;
  }
  float constant = logf(deviation) + 0.918938533204672742f;
  return -0.5f * sum / (deviation * deviation) - (float)pixels * constant;
}

VECTOR_CLONES
void kernel_paint_backward(const float *frame, const float *background, float *restrict dbackground,
                           const float *mean, const float *mask, float slope, float deviation, float dlog,
                           float *restrict dcanvas, float *restrict dcoverage, int64_t pixels) {
  float factor = dlog / (deviation * deviation);
  for (int64_t i = 0; i < pixels; i++) {
    float d = factor * (frame[i] - mean[i]), m = mask[i];
    dcanvas[i] = d;
    dcoverage[i] = d * background[i] * m * (1.0f - m) * slope;
    dbackground[i] += d * m;
  }
}
