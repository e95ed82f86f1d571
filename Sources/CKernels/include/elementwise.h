#pragma once
#include <stdint.h>

typedef enum kernel_activation : int32_t {
  kernel_identity = 0,
  kernel_elu = 1,
  kernel_tanh = 2,
  kernel_sigmoid = 3,
} kernel_activation;

/// Makes this thread treat denormal floats as zero, in and out. A particle of small importance has gradients of 1e-40,
/// and each arithmetic instruction on such a number costs the processor a hundred ordinary ones.
void kernel_flush_denormals(void);

/// Ends the threads that the linear algebra library has started, one a core, when it was loaded: a rank computes with
/// one, and those of many ranks would use up what the system allows.
void kernel_end_library_threads(void);

/// y = f(y + bias + row_addend[index]); `bias` and `addend` may be NULL, and so may `index` (row i takes addend row i).
void kernel_bias_activation(float *y, int64_t rows, int64_t columns, int64_t stride, const float *bias,
                            const float *addend, int64_t addend_stride, const int32_t *index, kernel_activation f);

/// dy becomes the gradient before the activation, dy * f'(y), and bias_gradient += its column sums (NULL: not wanted).
void kernel_bias_activation_backward(float *dy, int64_t dy_stride, const float *y, int64_t y_stride, int64_t rows,
                                     int64_t columns, float *bias_gradient, kernel_activation f);

/// sum[c] += sum over rows of x[r][c].
void kernel_column_sums(const float *x, int64_t rows, int64_t columns, int64_t stride, float *sum);

/// y = alpha a + beta b + constant; b may be NULL.
void kernel_scaled_sum(const float *a, int64_t a_stride, float alpha, const float *b, int64_t b_stride, float beta,
                       float constant, float *y, int64_t y_stride, int64_t rows, int64_t columns);

/// y += factor x.
void kernel_add_scaled(const float *x, int64_t x_stride, float factor, float *y, int64_t y_stride, int64_t rows,
                       int64_t columns);

/// y = a b, element by element.
void kernel_product(const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t y_stride,
                    int64_t rows, int64_t columns);

/// y += a b, element by element.
void kernel_add_product(const float *a, int64_t a_stride, const float *b, int64_t b_stride, float *y, int64_t y_stride,
                        int64_t rows, int64_t columns);

/// y[i] = x[index[i]] for the rows whose index is in [first, first + count), relative to first.
void kernel_gather(const float *x, int64_t x_stride, const int32_t *index, int32_t first, int32_t count, float *y,
                   int64_t y_stride, int64_t rows, int64_t columns);

/// y[index[i]] += x[i] for the rows whose index is in [first, first + count), relative to first.
void kernel_scatter_add(const float *x, int64_t x_stride, const int32_t *index, int32_t first, int32_t count, float *y,
                        int64_t y_stride, int64_t rows, int64_t columns);

/// Sum of x[i] y[i].
float kernel_dot(const float *x, int64_t x_stride, const float *y, int64_t y_stride, int64_t rows, int64_t columns);

/// Gated recurrent unit, first half. p = [z | r | c] before activation: z and r become their
/// sigmoids and rh = r * h.
void kernel_gru_gates(float *p, int64_t p_stride, const float *h, int64_t h_stride, float *rh, int64_t rh_stride,
                      int64_t rows, int64_t n);
/// Second half: c becomes its tanh, y = (1 - z) h + z c.
void kernel_gru_output(float *p, int64_t p_stride, const float *h, int64_t h_stride, float *y, int64_t y_stride,
                       int64_t rows, int64_t n);
/// Given dy: dp gets its z and c parts, dh += (1 - z) dy.
void kernel_gru_output_backward(const float *p, float *dp, int64_t p_stride, const float *h, float *dh,
                                int64_t h_stride, const float *dy, int64_t dy_stride, int64_t rows, int64_t n);
/// Given drh: dp gets its r part, dh += r drh. `dh` may be NULL.
void kernel_gru_gates_backward(const float *p, float *dp, int64_t p_stride, const float *h, float *dh,
                               int64_t h_stride, const float *drh, int64_t drh_stride, int64_t rows, int64_t n);
