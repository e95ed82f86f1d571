#include "patches.h"
#include "clones.h"

/// The part of a row of a patch that is inside the image: `count` numbers from `from` in the image's row, at `to` in the
/// patch's.
typedef struct {
  int64_t from, to, count;
} span;

INLINE span row_span(int64_t x, int64_t width, int64_t channels) {
  const int64_t first = x > 0 ? x - 1 : 0;
  const int64_t last = x + 2 < width ? x + 2 : width;
  return (span){first * channels, (first - x + 1) * channels, (last - first) * channels};
}

INLINE void copy(const float *restrict from, float *restrict to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = from[i];
}

INLINE void add(const float *restrict from, float *restrict to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] += from[i];
}

INLINE void clear(float *to, int64_t count) {
  for (int64_t i = 0; i < count; i++) to[i] = 0;
}

VECTOR_CLONES
void kernel_patches(const float *images, int64_t image_stride, kernel_image_grid grid, int64_t count, float *patches) {
  const int64_t channels = grid.channels, line = grid.width * channels;
  float *patch = patches;
  for (int64_t n = 0; n < count; n++) {
    const float *image = images + n * image_stride;
    for (int64_t y = 0; y < grid.height; y += 2) {
      for (int64_t x = 0; x < grid.width; x += 2) {
        const span s = row_span(x, grid.width, channels);
        for (int64_t v = y - 1; v <= y + 1; v++, patch += 3 * channels) {
          if (v < 0 || v >= grid.height) {
            clear(patch, 3 * channels);
            continue;
          }
          if (s.count < 3 * channels) clear(patch, 3 * channels);
          copy(image + v * line + s.from, patch + s.to, s.count);
        }
      }
    }
  }
}

VECTOR_CLONES
void kernel_place_patches(const float *patches, kernel_image_grid grid, int64_t count, float *images,
                          int64_t image_stride) {
  const int64_t channels = grid.channels, line = grid.width * channels;
  const float *patch = patches;
  for (int64_t n = 0; n < count; n++) {
    float *image = images + n * image_stride;
    for (int64_t y = 0; y < grid.height; y += 2) {
      for (int64_t x = 0; x < grid.width; x += 2) {
        const span s = row_span(x, grid.width, channels);
        for (int64_t v = y - 1; v <= y + 1; v++, patch += 3 * channels) {
          if (v >= 0 && v < grid.height) add(patch + s.to, image + v * line + s.from, s.count);
        }
      }
    }
  }
}
