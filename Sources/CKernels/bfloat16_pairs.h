#pragma once
// Floats rounded to bfloat16, two in the place of one float: the operands of the processor's products of pairs. Rounded
// to the nearest, ties to even; denormal numbers become zero.
#include <immintrin.h>
#include <stdint.h>

#define PAIR_TARGET __attribute__((target("avx512f,avx512vl,avx512bw,avx512bf16,fma")))

/// The lanes that hold the first `count` of 16 floats; none for a count below 0.
PAIR_TARGET static inline __mmask16 first_lanes(int64_t count) {
  return count >= 16 ? 0xffff : count <= 0 ? 0 : (__mmask16)((1u << count) - 1);
}

/// Neighbours as pairs: (count + 1) / 2 of them from up to 32 floats; the last is filled up with zero.
PAIR_TARGET static inline void pack_pairs(const float *from, int64_t count, float *pairs) {
  __m512 low = _mm512_maskz_loadu_ps(first_lanes(count), from);
  __m512 high = count > 16 ? _mm512_maskz_loadu_ps(first_lanes(count - 16), from + 16) : _mm512_setzero_ps();
  _mm512_mask_storeu_epi32(pairs, first_lanes((count + 1) / 2), (__m512i)_mm512_cvtne2ps_pbh(high, low));
}

/// The floats of two rows at the same place as a pair, up to 16; zero in place of a row that is NULL, and in lanes
/// behind the last.
PAIR_TARGET static inline __m512i pairs_of_rows(const float *row, const float *next, int64_t count) {
  __mmask16 lanes = first_lanes(count);
  __m512 high = next ? _mm512_maskz_loadu_ps(lanes, next) : _mm512_setzero_ps();
  __m512i first = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_maskz_loadu_ps(lanes, row)));
  __m512i second = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(high));
  return _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
}
