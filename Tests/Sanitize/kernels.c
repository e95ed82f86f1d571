// Runs the kernels on buffers of exactly the size that they need, for the sanitizers: whatever reads or writes beyond
// one, overflows, or shifts too far ends the program. The results are not examined; NumericsTests does that.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "CKernels.h"

static uint64_t state = 1;

static uint32_t next(void) {
  state = state * 6364136223846793005u + 1442695040888963407u;
  return (uint32_t)(state >> 33);
}

static int64_t size(int64_t least, int64_t most) { return least + next() % (uint32_t)(most - least + 1); }

// The last buffers of a round are freed together.
static void *taken[256];
static int taken_count = 0;

static void *take(int64_t bytes) {
  if (taken_count == 256) abort();
  return taken[taken_count++] = malloc(bytes > 0 ? (size_t)bytes : 1);
}

static void give_back(void) {
  while (taken_count > 0) free(taken[--taken_count]);
}

// Numbers of all sizes; some are not finite.
static float number(void) {
  static const float odd[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, 3e38f, -3e38f};
  if (next() % 50 == 0) return odd[next() % 8];
  return (float)((int32_t)(next() % 4001) - 2000) / 500;
}

static float *floats(int64_t count) {
  float *values = take(count * (int64_t)sizeof(float));
  for (int64_t i = 0; i < count; i++) values[i] = number();
  return values;
}

// A matrix whose last row ends with its last column.
static float *matrix(int64_t rows, int64_t columns, int64_t stride) {
  return floats(rows > 0 ? (rows - 1) * stride + columns : 0);
}

static void products(void) {
  int64_t m = size(1, 40), n = size(1, 70), k = size(1, 70), pad = size(0, 5);
  float *packed = floats(kernel_packed_size(k, n));
  kernel_pack(matrix(k, n, n + pad), n + pad, k, n, 0, k, packed);
  kernel_product_packed(matrix(m, k, k + pad), k + pad, packed, matrix(m, n, n + pad), n + pad, m, n, k, next() & 1);
  kernel_pack_transposed(matrix(n, k, k + pad), k + pad, k, n, 0, n, packed);
  kernel_product_packed(matrix(m, k, k), k, packed, matrix(m, n, n), n, m, n, k, 0);

  int64_t microbatches = size(1, 9), first = size(0, 20), rows = 0;
  int64_t starts[10] = {0};
  for (int64_t s = 0; s < microbatches; s++) starts[s + 1] = rows += size(0, 6);
  const float **x = take((rows + 1) * (int64_t)sizeof *x), **dy = take((rows + 1) * (int64_t)sizeof *dy);
  float *xs = floats(rows * m), *dys = floats(rows * n);
  for (int64_t r = 0; r < rows; r++) x[r] = xs + r * m, dy[r] = dys + r * n;
  // At most two blocks of each size.
  float *sums[32], *bias_sums[32];
  float *all = floats(32 * m * n), *all_bias = floats(32 * n);
  for (int q = 0; q < 32; q++) sums[q] = all + q * m * n, bias_sums[q] = all_bias + q * n;
  kernel_weight_gradient(x, dy, starts, microbatches, first, m, n, sums, n, next() & 1,
                         floats(kernel_gradient_workspace(rows, m, n)));
  kernel_bias_gradient(dy, starts, microbatches, first, n, bias_sums, next() & 1, floats(kernel_bias_workspace(n)));
}

static void elementwise(void) {
  int64_t rows = size(1, 20), n = size(1, 70), s = n + size(0, 5);
  int32_t *index = take(rows * (int64_t)sizeof *index);
  for (int64_t i = 0; i < rows; i++) index[i] = (int32_t)size(0, rows - 1);
  kernel_activation f = (kernel_activation)(next() % 4);
  float *a = matrix(rows, n, s), *b = matrix(rows, n, s), *y = matrix(rows, n, s), *row = floats(n);
  kernel_bias_activation(y, rows, n, s, row, a, s, index, f);
  kernel_bias_activation_backward(y, s, a, s, rows, n, row, f);
  kernel_column_sums(a, rows, n, s, row);
  kernel_scaled_sum(a, s, 2, b, s, 3, 4, y, s, rows, n);
  kernel_add_scaled(a, s, 2, y, s, rows, n);
  kernel_product(a, s, b, s, y, s, rows, n);
  kernel_add_product(a, s, b, s, y, s, rows, n);
  (void)kernel_dot(a, s, b, s, rows, n);
  kernel_add(row, floats(n), n);
  (void)kernel_sum_of_squares(row, n);
  kernel_rmsprop(floats(n), row, 1, floats(n), floats(n), 1e-3f, .9f, .9f, 1e-8f, next() & 1 ? floats(n) : NULL, .1f, n);
  kernel_adam(floats(n), row, 1, floats(n), floats(n), 1e-3f, .9f, .999f, 1e-8f, next() & 1 ? floats(n) : NULL, .1f, n);
}

static void densities(void) {
  int64_t rows = size(1, 20), n = size(1, 40), s = n + size(0, 5);
  float *x = matrix(rows, n, s), *dx = matrix(rows, n, s), *location = matrix(rows, n, s), *scale = matrix(rows, n, s);
  float *dlocation = matrix(rows, n, s), *dscale = matrix(rows, n, s), *noise = matrix(rows, n, s), *log = floats(rows);
  kernel_softplus_scale(x, s, .5f, .1f, scale, s, rows, n);
  (void)kernel_softplus_scale_backward(x, dx, s, .5f, dscale, s, rows, n);
  kernel_normal_sample(location, s, scale, s, noise, s, x, s, log, rows, n);
  kernel_normal_sample_backward(scale, dscale, s, noise, s, dx, s, log, next() & 1 ? dlocation : NULL, s, rows, n);
  kernel_normal_sample_pathwise_backward(scale, dscale, s, noise, s, dx, s, log, dlocation, s, rows, n);
  kernel_normal_log_density(x, s, location, s, scale, s, log, rows, n);
  kernel_normal_log_density_backward(x, dx, s, location, dlocation, s, scale, dscale, s, log, rows, n);
  kernel_standard_normal_log_density(x, s, log, rows, n);
  kernel_bernoulli_log_mass(x, s, noise, log, rows);
  kernel_bernoulli_log_mass_backward(x, dx, s, floats(rows), log, rows);
  kernel_sigmoid_values(x, s, log, rows);
  int64_t g = 3 * n, t = 2 * n;
  float *gates = matrix(rows, g, g), *dgates = matrix(rows, g, g), *glimpse = matrix(rows, t, t), *dglimpse = matrix(rows, t, t);
  float *temporal = matrix(rows, t, t), *dtemporal = matrix(rows, t, t), *what = matrix(rows, n, s), *dwhat = matrix(rows, n, s);
  kernel_gated_appearance(gates, g, 1, what, s, glimpse, t, temporal, t, location, scale, s, rows, n);
  kernel_gated_appearance_backward(gates, dgates, g, 1, what, dwhat, s, glimpse, dglimpse, t, temporal, dtemporal, t,
                                   dlocation, dscale, s, rows, n);
}

static void images(void) {
  kernel_geometry g = {(int32_t)size(1, 40), (int32_t)size(1, 40), (int32_t)size(1, 12), (int32_t)size(1, 12), 1e-3f};
  int64_t rows = size(1, 6), count = size(1, 3), pixels = (int64_t)g.image_height * g.image_width;
  int64_t glimpse_pixels = (int64_t)g.glimpse_height * g.glimpse_width;
  float *all = floats(count * pixels), *dall = floats(count * pixels), *where = matrix(rows, 4, 4), *dwhere = matrix(rows, 4, 4);
  float *glimpses = floats(rows * glimpse_pixels), *dglimpses = floats(rows * glimpse_pixels);
  int32_t *image = take(rows * (int64_t)sizeof *image), *objects = take(rows * (int64_t)sizeof *objects);
  for (int64_t i = 0; i < rows; i++) image[i] = (int32_t)size(0, count - 1), objects[i] = (int32_t)i;
  // A position far outside, and one that is not a number.
  if (next() % 4 == 0) where[next() % 4] = next() & 1 ? 1e30f : -1e30f;
  if (next() % 4 == 0) where[next() % 4] = NAN;
  kernel_crop(g, all, image, where, 4, glimpses, glimpse_pixels, rows);
  kernel_crop_backward(g, all, next() & 1 ? dall : NULL, image, where, next() & 1 ? dwhere : NULL, 4, glimpses,
                       glimpse_pixels, rows);
  kernel_window window = kernel_drawing_window(g, where, 4, objects, rows);
  int64_t area = (int64_t)window.width * window.height;
  if (window.x < 0 || window.y < 0 || window.width < 0 || window.height < 0 ||
      window.x + window.width > g.image_width || window.y + window.height > g.image_height) {
    fprintf(stderr, "a window reaches outside of its image\n");
    abort();
  }
  float *canvas = floats(area), *coverage = floats(area), *dcanvas = floats(area), *dcoverage = floats(area);
  for (int64_t i = 0; i < rows; i++) {
    kernel_paste(g, glimpses + i * glimpse_pixels, where + 4 * i, window, canvas, coverage);
    kernel_paste_backward(g, glimpses + i * glimpse_pixels, dglimpses + i * glimpse_pixels, where + 4 * i,
                          dwhere + 4 * i, window, dcanvas, dcoverage);
  }
  float mask = kernel_bare_mask(-2), *frame = floats(pixels), *background = floats(pixels), *dbackground = floats(pixels);
  (void)kernel_bare_squares(frame, background, mask, pixels);
  kernel_bare_backward(frame, background, mask, 1, dbackground, pixels);
  (void)kernel_paint(g, window, frame, background, canvas, coverage, -2, 5);
  kernel_paint_backward(g, window, frame, background, dbackground, canvas, coverage, -2, 5, 1, dcanvas, dcoverage);

  kernel_image_grid grid = {(int32_t)size(1, 20), (int32_t)size(1, 20), (int32_t)size(1, 9)};
  int64_t numbers = (int64_t)grid.height * grid.width * grid.channels;
  float *patches = floats(count * ((grid.height + 1) / 2) * ((grid.width + 1) / 2) * 9 * grid.channels);
  float *sources = floats(count * numbers);
  kernel_patches(sources, numbers, grid, count, patches);
  kernel_place_patches(patches, grid, count, sources, numbers);
}

static void noise(void) {
  uint32_t key[2] = {next(), next()};
  int64_t count = size(0, 40);
  kernel_normals(key, next(), next(), next(), floats(count), count);
  kernel_uniforms(key, next(), next(), next(), floats(count), count);
}

int main(int count, char **arguments) {
  int rounds = count > 1 ? atoi(arguments[1]) : 1000;
  static const char *const families[] = {"avx512", "avx2", "portable"};
  for (int round = 0; round < rounds; round++) {
    // Those that this processor lacks are refused.
    kernel_product_choose(families[round % 3]);
    products();
    give_back();
    elementwise();
    give_back();
    densities();
    give_back();
    images();
    give_back();
    noise();
    give_back();
  }
  printf("kernels: %d rounds\n", rounds);
}
