#pragma once
#include <stdint.h>

/// Sizes and constants of the spatial transformer (section 3.1).
typedef struct kernel_geometry {
  int32_t image_height, image_width, glimpse_height, glimpse_width;
  float minimum_scale;
} kernel_geometry;

/// Crops one glimpse out of each of `rows` images: `image[i]` is the index of row i's image in `images`.
/// `where` holds the logits (a_sx, a_sy, a_tx, a_ty).
void kernel_crop(kernel_geometry g, const float *images, const int32_t *image, const float *where,
                 int64_t where_stride, float *glimpse, int64_t glimpse_stride, int64_t rows);

/// dwhere += (NULL: not wanted) and dimages += (NULL: not wanted).
void kernel_crop_backward(kernel_geometry g, const float *images, float *dimages, const int32_t *image,
                          const float *where, float *dwhere, int64_t where_stride, const float *dglimpse,
                          int64_t glimpse_stride, int64_t rows);

/// Pastes a glimpse into a canvas that is zero elsewhere: canvas += paste(glimpse, where), and
/// coverage += paste(ones, where). Either output may be NULL.
void kernel_paste(kernel_geometry g, const float *glimpse, const float where[4], float *canvas, float *coverage);

/// dglimpse += and dwhere += from the gradients of canvas and coverage; `dcoverage` may be NULL.
void kernel_paste_backward(kernel_geometry g, const float *glimpse, float *dglimpse, const float where[4],
                           float dwhere[4], const float *dcanvas, const float *dcoverage);

/// Mean image and likelihood of one row (section 6): on entry `mean` holds the canvas and `mask` the coverage;
/// on return mean += background * M and mask = M = sigmoid(offset + slope * coverage).
/// Returns the sum over pixels of log N(frame; mean, deviation).
float kernel_paint(const float *frame, const float *background, float *mean, float *mask, float offset, float slope,
                   float deviation, int64_t pixels);

/// Given the gradient `dlog` of the log likelihood: dcanvas and dcoverage are set, dbackground +=.
void kernel_paint_backward(const float *frame, const float *background, float *dbackground, const float *mean,
                           const float *mask, float slope, float deviation, float dlog, float *dcanvas,
                           float *dcoverage, int64_t pixels);
