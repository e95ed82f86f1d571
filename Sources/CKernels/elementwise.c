#include "elementwise.h"
#include "clones.h"
#include "mathematics.h"
#include <string.h>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

void kernel_flush_denormals(void) {
#if defined(__x86_64__)
  _mm_setcsr(_mm_getcsr() | 0x8040);  // flush to zero, denormals are zero
#elif defined(__aarch64__)
  uint64_t control;
  __asm__ volatile("mrs %0, fpcr" : "=r"(control));
  __asm__ volatile("msr fpcr, %0" : : "r"(control | (1ull << 24)));
#endif
}

VECTOR_CLONES
void kernel_bias_activation(float *y, int64_t rows, int64_t columns, int64_t stride, const float *bias,
                            const float *addend, int64_t addend_stride, const int32_t *index, kernel_activation f) {
  for (int64_t r = 0; r < rows; r++) {
    float *row = y + r * stride;
    if (bias) for (int64_t c = 0; c < columns; c++) row[c] += bias[c];
    if (addend) {
      const float *extra = addend + (index ? index[r] : r) * addend_stride;
      for (int64_t c = 0; c < columns; c++) row[c] += extra[c];
    }
    switch (f) {
    case kernel_identity: break;
    case kernel_elu: for (int64_t c = 0; c < columns; c++) row[c] = exponential_linear(row[c]); break;
    case kernel_tanh: for (int64_t c = 0; c < columns; c++) row[c] = hyperbolic_tangent(row[c]); break;
    case kernel_sigmoid: for (int64_t c = 0; c < columns; c++) row[c] = sigmoid(row[c]); break;
    }
  }
}

VECTOR_CLONES
void kernel_bias_activation_backward(float *restrict dy, int64_t dy_stride, const float *restrict y, int64_t y_stride,
                                     int64_t rows, int64_t columns, float *restrict bias_gradient,
                                     kernel_activation f) {
  for (int64_t r = 0; r < rows; r++) {
    float *restrict d = dy + r * dy_stride;
    const float *restrict v = y + r * y_stride;
    switch (f) {
    case kernel_identity: break;
    case kernel_elu: for (int64_t c = 0; c < columns; c++) d[c] *= v[c] > 0 ? 1.0f : v[c] + 1.0f; break;
    case kernel_tanh: for (int64_t c = 0; c < columns; c++) d[c] *= 1.0f - v[c] * v[c]; break;
    case kernel_sigmoid: for (int64_t c = 0; c < columns; c++) d[c] *= v[c] * (1.0f - v[c]); break;
    }
    if (bias_gradient) for (int64_t c = 0; c < columns; c++) bias_gradient[c] += d[c];
  }
}

VECTOR_CLONES
void kernel_column_sums(const float *restrict x, int64_t rows, int64_t columns, int64_t stride, float *restrict sum) {
  for (int64_t r = 0; r < rows; r++) {
    const float *restrict row = x + r * stride;
    for (int64_t c = 0; c < columns; c++) sum[c] += row[c];
  }
}

VECTOR_CLONES
void kernel_scaled_sum(const float *a, int64_t a_stride, float alpha, const float *b, int64_t b_stride, float beta,
                       float constant, float *restrict y, int64_t y_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    const float *x = a + r * a_stride;
    float *restrict out = y + r * y_stride;
    if (b) {
      const float *z = b + r * b_stride;
      for (int64_t c = 0; c < columns; c++) out[c] = alpha * x[c] + beta * z[c] + constant;
    } else {
      for (int64_t c = 0; c < columns; c++) out[c] = alpha * x[c] + constant;
    }
  }
}

VECTOR_CLONES
void kernel_add_scaled(const float *restrict x, int64_t x_stride, float factor, float *restrict y, int64_t y_stride,
                       int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    const float *restrict from = x + r * x_stride;
    float *restrict to = y + r * y_stride;
    for (int64_t c = 0; c < columns; c++) to[c] += factor * from[c];
  }
}

VECTOR_CLONES
void kernel_product(const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *restrict y,
                    int64_t y_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) y[r * y_stride + c] = a[r * a_stride + c] * b[r * b_stride + c];
}

VECTOR_CLONES
void kernel_add_product(const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *restrict y,
                        int64_t y_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) y[r * y_stride + c] += a[r * a_stride + c] * b[r * b_stride + c];
}

void kernel_gather(const float *x, int64_t x_stride, const int32_t *index, int32_t first, int32_t count, float *y,
                   int64_t y_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    int32_t source = index[r] - first;
    if (source < 0 || source >= count) continue;
    memcpy(y + r * y_stride, x + source * x_stride, (size_t)columns * sizeof(float));
  }
}

VECTOR_CLONES
void kernel_scatter_add(const float *restrict x, int64_t x_stride, const int32_t *restrict index, int32_t first,
                        int32_t count, float *restrict y, int64_t y_stride, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++) {
    int32_t target = index[r] - first;
    if (target < 0 || target >= count) continue;
    const float *restrict from = x + r * x_stride;
    float *restrict to = y + target * y_stride;
    for (int64_t c = 0; c < columns; c++) to[c] += from[c];
  }
}

VECTOR_CLONES
float kernel_dot(const float *x, int64_t x_stride, const float *y, int64_t y_stride, int64_t rows, int64_t columns) {
#pragma clang fp reassociate(on)
  float sum = 0;
  for (int64_t r = 0; r < rows; r++) {
    const float *a = x + r * x_stride, *b = y + r * y_stride;
    float part = 0;
    for (int64_t c = 0; c < columns; c++) part += a[c] * b[c];
    sum += part;
  }
  return sum;
}

INLINE void gru_gates_row(float *restrict gates, const float *restrict state, float *restrict out, int64_t n) {
  for (int64_t c = 0; c < 2 * n; c++) gates[c] = sigmoid(gates[c]);
  for (int64_t c = 0; c < n; c++) out[c] = gates[n + c] * state[c];
}

VECTOR_CLONES
void kernel_gru_gates(float *p, int64_t p_stride, const float *h, int64_t h_stride, float *restrict rh,
                      int64_t rh_stride, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++) gru_gates_row(p + i * p_stride, h + i * h_stride, rh + i * rh_stride, n);
}

INLINE void gru_output_row(const float *restrict z, float *restrict candidate, const float *restrict state,
                           float *restrict out, int64_t n) {
  for (int64_t c = 0; c < n; c++) {
    candidate[c] = hyperbolic_tangent(candidate[c]);
    out[c] = (1.0f - z[c]) * state[c] + z[c] * candidate[c];
  }
}

VECTOR_CLONES
void kernel_gru_output(float *p, int64_t p_stride, const float *h, int64_t h_stride, float *restrict y,
                       int64_t y_stride, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    gru_output_row(p + i * p_stride, p + i * p_stride + 2 * n, h + i * h_stride, y + i * y_stride, n);
}

INLINE void gru_output_row_backward(const float *restrict z, const float *restrict candidate, float *restrict dz,
                                    float *restrict dcandidate, const float *restrict state, float *restrict dstate,
                                    const float *restrict d, int64_t n) {
  for (int64_t c = 0; c < n; c++) {
    dz[c] = d[c] * (candidate[c] - state[c]) * z[c] * (1.0f - z[c]);
    dcandidate[c] = d[c] * z[c] * (1.0f - candidate[c] * candidate[c]);
  }
  if (dstate)
    for (int64_t c = 0; c < n; c++) dstate[c] += d[c] * (1.0f - z[c]);
}

VECTOR_CLONES
void kernel_gru_output_backward(const float *p, float *restrict dp, int64_t p_stride, const float *h, float *dh,
                                int64_t h_stride, const float *dy, int64_t dy_stride, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    gru_output_row_backward(p + i * p_stride, p + i * p_stride + 2 * n, dp + i * p_stride, dp + i * p_stride + 2 * n,
                            h + i * h_stride, dh ? dh + i * h_stride : 0, dy + i * dy_stride, n);
}

INLINE void gru_gates_row_backward(const float *restrict reset, float *restrict dreset, const float *restrict state,
                                   float *restrict dstate, const float *restrict d, int64_t n) {
  for (int64_t c = 0; c < n; c++) dreset[c] = d[c] * state[c] * reset[c] * (1.0f - reset[c]);
  if (dstate)
    for (int64_t c = 0; c < n; c++) dstate[c] += d[c] * reset[c];
}

VECTOR_CLONES
void kernel_gru_gates_backward(const float *p, float *restrict dp, int64_t p_stride, const float *h, float *dh,
                               int64_t h_stride, const float *drh, int64_t drh_stride, int64_t rows, int64_t n) {
  for (int64_t i = 0; i < rows; i++)
    gru_gates_row_backward(p + i * p_stride + n, dp + i * p_stride + n, h + i * h_stride, dh ? dh + i * h_stride : 0,
                           drh + i * drh_stride, n);
}
