#pragma once
#include <stdint.h>

/// scale = softplus(raw + offset) + minimum.
void kernel_softplus_scale(const float *raw, int64_t raw_stride, float offset, float minimum, float *scale,
                           int64_t scale_stride, int64_t rows, int64_t columns);
/// draw += dscale sigmoid(raw + offset); returns the sum of what was added (the gradient of the offset).
float kernel_softplus_scale_backward(const float *raw, float *draw, int64_t raw_stride, float offset,
                                     const float *dscale, int64_t scale_stride, int64_t rows, int64_t columns);

/// x = location + scale noise; log_density[i] = sum over columns of -noise^2/2 - log scale - log(2 pi)/2.
void kernel_normal_sample(const float *location, int64_t location_stride, const float *scale, int64_t scale_stride,
                          const float *noise, int64_t noise_stride, float *x, int64_t x_stride, float *log_density,
                          int64_t rows, int64_t columns);
/// dlocation += dx (NULL: not wanted), dscale += dx noise - dlog / scale.
void kernel_normal_sample_backward(const float *scale, float *dscale, int64_t scale_stride, const float *noise,
                                   int64_t noise_stride, const float *dx, int64_t x_stride, const float *dlog,
                                   float *dlocation, int64_t location_stride, int64_t rows, int64_t columns);
/// The same without the derivative of the log density by location and scale at fixed x: the path through x alone, whose
/// gradient is g = dx - dlog noise / scale. dlocation += g (NULL: not wanted), dscale += g noise.
void kernel_normal_sample_pathwise_backward(const float *scale, float *dscale, int64_t scale_stride,
                                            const float *noise, int64_t noise_stride, const float *dx,
                                            int64_t x_stride, const float *dlog, float *dlocation,
                                            int64_t location_stride, int64_t rows, int64_t columns);

/// log_density[i] = sum over columns of log N(x; location, scale).
void kernel_normal_log_density(const float *x, int64_t x_stride, const float *location, int64_t location_stride,
                               const float *scale, int64_t scale_stride, float *log_density, int64_t rows,
                               int64_t columns);
void kernel_normal_log_density_backward(const float *x, float *dx, int64_t x_stride, const float *location,
                                        float *dlocation, int64_t location_stride, const float *scale, float *dscale,
                                        int64_t scale_stride, const float *dlog, int64_t rows, int64_t columns);

/// log_density[i] = sum over columns of log N(x; 0, 1).
void kernel_standard_normal_log_density(const float *x, int64_t x_stride, float *log_density, int64_t rows,
                                        int64_t columns);

/// log_mass[i] = value l - max(l, 0) - log(1 + e^-|l|) with l = logit[i logit_stride].
void kernel_bernoulli_log_mass(const float *logit, int64_t logit_stride, const float *value, float *log_mass,
                               int64_t rows);
/// dlogit += dlog (value - sigmoid(l)).
void kernel_bernoulli_log_mass_backward(const float *logit, float *dlogit, int64_t logit_stride, const float *value,
                                        const float *dlog, int64_t rows);

/// y[i] = sigmoid(x[i]).
void kernel_sigmoid_values(const float *x, int64_t x_stride, float *y, int64_t rows);

/// Mixes memory, glimpse and temporal guess (4.2, step 9); gates = [forget | input | time], each d wide and before the
/// fixed gain: location = f what + (1 - i) e_location + (1 - g) t_location, scale likewise without `what`.
/// `glimpse` = [e_location | e_scale], `temporal` = [t_location | t_scale].
void kernel_gated_appearance(const float *gates, int64_t gates_stride, float gain, const float *what,
                             int64_t what_stride, const float *glimpse, int64_t glimpse_stride, const float *temporal,
                             int64_t temporal_stride, float *location, float *scale, int64_t out_stride, int64_t rows,
                             int64_t d);
void kernel_gated_appearance_backward(const float *gates, float *dgates, int64_t gates_stride, float gain,
                                      const float *what, float *dwhat, int64_t what_stride, const float *glimpse,
                                      float *dglimpse, int64_t glimpse_stride, const float *temporal, float *dtemporal,
                                      int64_t temporal_stride, const float *dlocation, const float *dscale,
                                      int64_t out_stride, int64_t rows, int64_t d);
