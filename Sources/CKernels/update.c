#include "update.h"
#include "clones.h"
#include <stddef.h>

// A pass over the parameters is bound by memory, so the average moves in the same pass: it costs one more stream, not a
// second reading of the parameters. The root is the builtin one: sqrtf may set errno, so a loop that calls it is not
// vectorized and takes four times as long.
INLINE void rmsprop(float *restrict x, const float *restrict gradient, float factor, float *restrict mean_square,
                    float *restrict momentum_state, float rate, float decay, float momentum, float epsilon,
                    float *restrict average, float weight, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    float g = factor * gradient[i];
    float v = decay * mean_square[i] + (1.0f - decay) * g * g;
    float u = momentum * momentum_state[i] + rate * g / __builtin_elementwise_sqrt(v + epsilon);
    mean_square[i] = v;
    momentum_state[i] = u;
    x[i] -= u;
    if (average) average[i] += weight * (x[i] - average[i]);
  }
}

VECTOR_CLONES
void kernel_rmsprop(float *restrict x, const float *restrict gradient, float factor, float *restrict mean_square,
                    float *restrict momentum_state, float rate, float decay, float momentum, float epsilon,
                    float *restrict average, float weight, int64_t count) {
  if (average)
    rmsprop(x, gradient, factor, mean_square, momentum_state, rate, decay, momentum, epsilon, average, weight, count);
  else
    rmsprop(x, gradient, factor, mean_square, momentum_state, rate, decay, momentum, epsilon, NULL, 0, count);
}

INLINE void adam(float *restrict x, const float *restrict gradient, float factor, float *restrict first,
                 float *restrict second, float rate, float beta1, float beta2, float epsilon, float *restrict average,
                 float weight, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    float g = factor * gradient[i];
    float m = beta1 * first[i] + (1.0f - beta1) * g;
    float v = beta2 * second[i] + (1.0f - beta2) * g * g;
    first[i] = m;
    second[i] = v;
    x[i] -= rate * m / (__builtin_elementwise_sqrt(v) + epsilon);
    if (average) average[i] += weight * (x[i] - average[i]);
  }
}

VECTOR_CLONES
void kernel_adam(float *restrict x, const float *restrict gradient, float factor, float *restrict first,
                 float *restrict second, float rate, float beta1, float beta2, float epsilon, float *restrict average,
                 float weight, int64_t count) {
  if (average)
    adam(x, gradient, factor, first, second, rate, beta1, beta2, epsilon, average, weight, count);
  else
    adam(x, gradient, factor, first, second, rate, beta1, beta2, epsilon, NULL, 0, count);
}

VECTOR_CLONES
void kernel_add(const float *restrict x, float *restrict y, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] += x[i];
}

VECTOR_CLONES
double kernel_sum_of_squares(const float *x, int64_t count) {
#pragma clang fp reassociate(on)
  double sum = 0;
  for (int64_t i = 0; i < count; i++) sum += (double)x[i] * (double)x[i];
  return sum;
}
