#pragma once
#include <stdint.h>

/// Images of `height` x `width` pixels of `channels` numbers each, side by side.
typedef struct {
  int32_t height, width, channels;
} kernel_image_grid;

/// Patches of 3 x 3 pixels around every second pixel of every second row: for each image ceil(height / 2)
/// ceil(width / 2) rows of 9 channels each. Pixels outside the image are 0.
void kernel_patches(const float *images, int64_t image_stride, kernel_image_grid grid, int64_t count, float *patches);

/// The transpose of it: images += patches put back where they come from.
void kernel_place_patches(const float *patches, kernel_image_grid grid, int64_t count, float *images,
                          int64_t image_stride);
