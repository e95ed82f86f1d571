#pragma once
// Scalar functions written so that a loop over them vectorises: no calls, no branches.
#include "clones.h"
#include <stdint.h>

INLINE float bits_to_float(int32_t bits) {
  union { int32_t i; float f; } v = {bits};
  return v.f;
}

INLINE float minimum(float a, float b) { return a < b ? a : b; }
INLINE float maximum(float a, float b) { return a > b ? a : b; }
INLINE float absolute(float a) { return a < 0 ? -a : a; }

/// e^x, relative error below 1e-7; arguments are limited to [-87, 88]. NaN stays NaN.
INLINE float exponential(float x) {
  float limited = x < -87.0f ? -87.0f : x;
  limited = limited > 88.0f ? 88.0f : limited;
  const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  float shifted = limited * 1.44269504f + magic;
  float n = shifted - magic;
  float r = limited - n * 0.693359375f + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  union { float f; int32_t i; } power = {shifted};
  return p * bits_to_float((int32_t)(((uint32_t)power.i << 23) + 0x3F800000u));
}

/// Natural logarithm of a positive normal float, absolute error below 1e-7 near 1, else relative.
INLINE float logarithm(float x) {
  union { float f; int32_t i; } v = {x};
  int32_t exponent = (v.i - 0x3F3504F3) >> 23;
  float t = bits_to_float(v.i - (int32_t)((uint32_t)exponent << 23)) - 1.0f;
  float e = (float)exponent;
  float p = 7.0376836292e-2f;
  p = p * t - 1.1514610310e-1f;
  p = p * t + 1.1676998740e-1f;
  p = p * t - 1.2420140846e-1f;
  p = p * t + 1.4249322787e-1f;
  p = p * t - 1.6668057665e-1f;
  p = p * t + 2.0000714765e-1f;
  p = p * t - 2.4999993993e-1f;
  p = p * t + 3.3333331174e-1f;
  float t2 = t * t;
  return t + (p * t * t2 - 0.5f * t2 - e * 2.12194440e-4f) + e * 0.693359375f;
}

INLINE float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

INLINE float hyperbolic_tangent(float x) {
  float a = absolute(x), e = exponential(-2.0f * a), t = (1.0f - e) / (1.0f + e);
  // Below 1/16 the quotient loses digits; three terms of the series are exact to float there.
  float x2 = x * x, series = x * (1.0f - x2 * (0.333333333f - x2 * (0.133333333f - x2 * 0.0539682540f)));
  return a < 0.0625f ? series : (x < 0 ? -t : t);
}

INLINE float exponential_linear(float x) {
  return x > 0 ? x : exponential(x) - 1.0f;
}

/// log(1 + e^x). NaN stays NaN, which `maximum` and `logarithm` would hide.
INLINE float softplus(float x) {
  return (x < 0.0f ? 0.0f : x) + logarithm(1.0f + exponential(-absolute(x)));
}
