// The mean image and the mask of a frame, and their squared errors (section 6).
#include "glimpse_taps.h"

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
