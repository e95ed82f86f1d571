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

/// A rectangle of an image: columns x..<x + width of the rows y..<y + height. Images below are rows of that width.
typedef struct kernel_window {
  int32_t x, y, width, height;
} kernel_window;

/// The smallest window with all pixels that the objects can touch, widened to whole vector registers as far as the
/// image reaches; of no size if they touch none. Object k has the logits at `where + objects[k] * where_stride`.
kernel_window kernel_drawing_window(kernel_geometry g, const float *where, int64_t where_stride,
                                    const int32_t *objects, int64_t count);

/// Pastes a glimpse into a canvas: canvas += paste(glimpse, where), and coverage += paste(ones, where), both images
/// of the window, which holds the object.
void kernel_paste(kernel_geometry g, const float *glimpse, const float where[4], kernel_window window, float *canvas,
                  float *coverage);

/// dglimpse += and dwhere += from the gradients of canvas and coverage.
void kernel_paste_backward(kernel_geometry g, const float *glimpse, float *dglimpse, const float where[4],
                           float dwhere[4], kernel_window window, const float *dcanvas, const float *dcoverage);

/// The mask where no object is: M = sigmoid(offset).
float kernel_bare_mask(float offset);

/// The sum over an image of the squares of frame - background * M, for the mask of bare pixels.
double kernel_bare_squares(const float *frame, const float *background, float mask, int64_t pixels);

/// dbackground += factor * (frame - background * M) * M, for the mask of bare pixels.
void kernel_bare_backward(const float *frame, const float *background, float mask, float factor, float *dbackground,
                          int64_t pixels);

/// Mean image and mask of a window (section 6): on entry `mean` holds the canvas and `mask` the coverage; on return
/// mean += background * M and mask = M = sigmoid(offset + slope * coverage). `frame`, `background` are whole images.
/// Returns the sum over the window of (frame - mean)^2 less that of the same pixels when bare.
double kernel_paint(kernel_geometry g, kernel_window window, const float *frame, const float *background, float *mean,
                    float *mask, float offset, float slope);

/// Given `factor`, the gradient of the log likelihood over the variance: dcanvas and dcoverage, images of the window,
/// are set. dbackground, a whole image, += what the window's pixels give more than when bare.
void kernel_paint_backward(kernel_geometry g, kernel_window window, const float *frame, const float *background,
                           float *dbackground, const float *mean, const float *mask, float offset, float slope,
                           float factor, float *dcanvas, float *dcoverage);
