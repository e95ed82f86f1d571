#pragma once
#include <stdint.h>

/// Where an update is given an `average` (NULL: none), average += weight (x - average) with the updated x.

/// RMSProp (section 9): v = decay v + (1 - decay) g^2, u = momentum u + rate g / sqrt(v + epsilon), x -= u, with g = factor * gradient.
void kernel_rmsprop(float *x, const float *gradient, float factor, float *mean_square, float *momentum_state,
                    float rate, float decay, float momentum, float epsilon, float *average, float weight,
                    int64_t count);

/// Adam: m = b1 m + (1 - b1) g, v = b2 v + (1 - b2) g^2, x -= rate m / (sqrt(v) + epsilon), with g = factor * gradient
/// and the bias corrections already in `rate`.
void kernel_adam(float *x, const float *gradient, float factor, float *first, float *second, float rate, float beta1,
                 float beta2, float epsilon, float *average, float weight, int64_t count);

/// y += x.
void kernel_add(const float *x, float *y, int64_t count);

/// Sum of squares in double precision; not finite if any element is not.
double kernel_sum_of_squares(const float *x, int64_t count);
