#include "densities.h"
#include "clones.h"
#include "mathematics.h"

static const float half_log_two_pi = 0.918938533204672742f;

VECTOR_CLONES
void kernel_softplus_scale(const float *raw, int64_t raw_stride, float offset, float minimum, float *restrict scale,
                           int64_t scale_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++)
      scale[r * scale_stride + c] = softplus(raw[r * raw_stride + c] + offset) + minimum;
}

VECTOR_CLONES
float kernel_softplus_scale_backward(const float *raw, float *restrict draw, int64_t raw_stride, float offset,
                                     const float *dscale, int64_t scale_stride, int64_t rows, int64_t columns) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) {
      float d = dscale[r * scale_stride + c] * sigmoid(raw[r * raw_stride + c] + offset);
      draw[r * raw_stride + c] += d;
      sum += d;
    }
  return sum;
}

VECTOR_CLONES
void kernel_normal_sample(const float *location, int64_t location_stride, const float *scale, int64_t scale_stride,
                          const float *noise, int64_t noise_stride, float *restrict x, int64_t x_stride,
                          float *restrict log_density, int64_t rows, int64_t columns) {
#pragma clang fp reassociate(on)
  for (int64_t r = 0; r < rows; r++) {
    float sum = 0;
    for (int64_t c = 0; c < columns; c++) {
      float e = noise[r * noise_stride + c], s = scale[r * scale_stride + c];
      x[r * x_stride + c] = location[r * location_stride + c] + s * e;
      sum -= 0.5f * e * e + logarithm(s) + half_log_two_pi;
    }
    log_density[r] = sum;
  }
}

VECTOR_CLONES
void kernel_normal_sample_backward(const float *scale, float *restrict dscale, int64_t scale_stride,
                                   const float *noise, int64_t noise_stride, const float *dx, int64_t x_stride,
                                   const float *dlog, float *restrict dlocation, int64_t location_stride, int64_t rows,
                                   int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    const float *d = dx + r * x_stride;
    for (int64_t c = 0; c < columns; c++)
      dscale[r * scale_stride + c] += d[c] * noise[r * noise_stride + c] - dlog[r] / scale[r * scale_stride + c];
    if (dlocation)
      for (int64_t c = 0; c < columns; c++) dlocation[r * location_stride + c] += d[c];
  }
}

VECTOR_CLONES
void kernel_normal_sample_pathwise_backward(const float *scale, float *restrict dscale, int64_t scale_stride,
                                            const float *noise, int64_t noise_stride, const float *dx,
                                            int64_t x_stride, const float *dlog, float *restrict dlocation,
                                            int64_t location_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < columns; c++) {
      float e = noise[r * noise_stride + c];
      float g = dx[r * x_stride + c] - dlog[r] * e / scale[r * scale_stride + c];
      dscale[r * scale_stride + c] += g * e;
      if (dlocation) dlocation[r * location_stride + c] += g;
    }
  }
}

VECTOR_CLONES
void kernel_normal_log_density(const float *x, int64_t x_stride, const float *location, int64_t location_stride,
                               const float *scale, int64_t scale_stride, float *restrict log_density, int64_t rows,
                               int64_t columns) {
#pragma clang fp reassociate(on)
  for (int64_t r = 0; r < rows; r++) {
    float sum = 0;
    for (int64_t c = 0; c < columns; c++) {
      float s = scale[r * scale_stride + c];
      float z = (x[r * x_stride + c] - location[r * location_stride + c]) / s;
      sum -= 0.5f * z * z + logarithm(s) + half_log_two_pi;
    }
    log_density[r] = sum;
  }
}

VECTOR_CLONES
void kernel_normal_log_density_backward(const float *x, float *restrict dx, int64_t x_stride, const float *location,
                                        float *restrict dlocation, int64_t location_stride, const float *scale,
                                        float *restrict dscale, int64_t scale_stride, const float *dlog, int64_t rows,
                                        int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    float d = dlog[r];
    for (int64_t c = 0; c < columns; c++) {
      float inverse = 1.0f / scale[r * scale_stride + c];
      float z = (x[r * x_stride + c] - location[r * location_stride + c]) * inverse;
      float slope = d * z * inverse;
      dx[r * x_stride + c] -= slope;
      dlocation[r * location_stride + c] += slope;
      dscale[r * scale_stride + c] += d * (z * z - 1.0f) * inverse;
    }
  }
}

VECTOR_CLONES
void kernel_standard_normal_log_density(const float *x, int64_t x_stride, float *restrict log_density, int64_t rows,
                                        int64_t columns) {
#pragma clang fp reassociate(on)
  for (int64_t r = 0; r < rows; r++) {
    float sum = 0;
    for (int64_t c = 0; c < columns; c++) {
      float v = x[r * x_stride + c];
      sum -= 0.5f * v * v + half_log_two_pi;
    }
    log_density[r] = sum;
  }
}

VECTOR_CLONES
void kernel_bernoulli_log_mass(const float *logit, int64_t logit_stride, const float *value, float *restrict log_mass,
                               int64_t rows) {
  for (int64_t r = 0; r < rows; r++) {
    float l = logit[r * logit_stride];
    log_mass[r] = value[r] * l - softplus(l);
  }
}

VECTOR_CLONES
void kernel_bernoulli_log_mass_backward(const float *logit, float *restrict dlogit, int64_t logit_stride,
                                        const float *value, const float *dlog, int64_t rows) {
  for (int64_t r = 0; r < rows; r++)
    dlogit[r * logit_stride] += dlog[r] * (value[r] - sigmoid(logit[r * logit_stride]));
}

VECTOR_CLONES
void kernel_sigmoid_values(const float *x, int64_t x_stride, float *restrict y, int64_t rows) {
  for (int64_t r = 0; r < rows; r++) y[r] = sigmoid(x[r * x_stride]);
}

VECTOR_CLONES
void kernel_gated_appearance(const float *gates, int64_t gates_stride, float gain, const float *what,
                             int64_t what_stride, const float *glimpse, int64_t glimpse_stride, const float *temporal,
                             int64_t temporal_stride, float *restrict location, float *restrict scale,
                             int64_t out_stride, int64_t rows, int64_t d) {
  for (int64_t r = 0; r < rows; r++) {
    const float *g = gates + r * gates_stride, *w = what + r * what_stride;
    const float *e = glimpse + r * glimpse_stride, *t = temporal + r * temporal_stride;
    float *restrict l = location + r * out_stride, *restrict s = scale + r * out_stride;
    for (int64_t c = 0; c < d; c++) {
      float forget = gain * g[c], closed = 1.0f - gain * g[d + c], guess = 1.0f - gain * g[2 * d + c];
      l[c] = forget * w[c] + closed * e[c] + guess * t[c];
      s[c] = closed * e[d + c] + guess * t[d + c];
    }
  }
}

/// The values of one row of gated appearance: forget, glimpse and temporal gates; location and scale of both guesses.
typedef struct appearance {
  const float *forget, *closed, *guess, *what, *glimpse_location, *glimpse_scale, *temporal_location, *temporal_scale;
} appearance;

INLINE void gated_appearance_row_backward(appearance v, float *restrict dforget, float *restrict dclosed,
                                          float *restrict dguess, float gain, float *restrict dwhat,
                                          float *restrict dglimpse_location, float *restrict dglimpse_scale,
                                          float *restrict dtemporal_location, float *restrict dtemporal_scale,
                                          const float *restrict dl, const float *restrict ds, int64_t d) {
  for (int64_t c = 0; c < d; c++) {
    float forget = gain * v.forget[c], closed = 1.0f - gain * v.closed[c], guess = 1.0f - gain * v.guess[c];
    dforget[c] += gain * dl[c] * v.what[c];
    dclosed[c] -= gain * (dl[c] * v.glimpse_location[c] + ds[c] * v.glimpse_scale[c]);
    dguess[c] -= gain * (dl[c] * v.temporal_location[c] + ds[c] * v.temporal_scale[c]);
    dwhat[c] += forget * dl[c];
    dglimpse_location[c] += closed * dl[c];
    dglimpse_scale[c] += closed * ds[c];
    dtemporal_location[c] += guess * dl[c];
    dtemporal_scale[c] += guess * ds[c];
  }
}

VECTOR_CLONES
void kernel_gated_appearance_backward(const float *gates, float *restrict dgates, int64_t gates_stride, float gain,
                                      const float *what, float *restrict dwhat, int64_t what_stride,
                                      const float *glimpse, float *restrict dglimpse, int64_t glimpse_stride,
                                      const float *temporal, float *restrict dtemporal, int64_t temporal_stride,
                                      const float *dlocation, const float *dscale, int64_t out_stride, int64_t rows,
                                      int64_t d) {
  for (int64_t r = 0; r < rows; r++) {
    const float *g = gates + r * gates_stride, *e = glimpse + r * glimpse_stride, *t = temporal + r * temporal_stride;
    float *dg = dgates + r * gates_stride, *de = dglimpse + r * glimpse_stride, *dt = dtemporal + r * temporal_stride;
    appearance v = {g, g + d, g + 2 * d, what + r * what_stride, e, e + d, t, t + d};
    gated_appearance_row_backward(v, dg, dg + d, dg + 2 * d, gain, dwhat + r * what_stride, de, de + d, dt, dt + d,
                                  dlocation + r * out_stride, dscale + r * out_stride, d);
  }
}
