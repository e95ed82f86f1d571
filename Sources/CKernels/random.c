// Counter-based random numbers: noise is a function of what it is used for, not of which process draws it or when.
#include "random.h"
#include "clones.h"
#include "mathematics.h"
#include <string.h>

INLINE void philox_round(uint32_t k0, uint32_t k1, uint32_t *x0, uint32_t *x1, uint32_t *x2, uint32_t *x3) {
  uint64_t a = (uint64_t)0xD2511F53u * *x0;
  uint64_t b = (uint64_t)0xCD9E8D57u * *x2;
  uint32_t y0 = (uint32_t)(b >> 32) ^ *x1 ^ k0;
  uint32_t y2 = (uint32_t)(a >> 32) ^ *x3 ^ k1;
  *x1 = (uint32_t)b;
  *x3 = (uint32_t)a;
  *x0 = y0;
  *x2 = y2;
}

void kernel_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
  uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3], k0 = key[0], k1 = key[1];
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    philox_round(k0, k1, &x0, &x1, &x2, &x3);
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

// cos and sin of 2 pi u for u in [0, 1): quarter turns are exact, the rest is a polynomial.
INLINE void cosine_sine_turns(float u, float *c, float *s) {
  float q = u * 4.0f;
  float nearest = (float)(int32_t)(q + 0.5f);
  int32_t quadrant = (int32_t)nearest & 3;
  float a = (q - nearest) * 1.57079632679f, a2 = a * a;
  float sine = a + a * a2 * (-1.6666654611e-1f + a2 * (8.3321608736e-3f - a2 * 1.9515295891e-4f));
  float cosine = 1.0f - 0.5f * a2 + a2 * a2 * (4.166664568298827e-2f + a2 * (-1.388731625493765e-3f + a2 * 2.443315711809948e-5f));
  float cc = (quadrant & 1) ? sine : cosine, ss = (quadrant & 1) ? cosine : sine;
  *c = (quadrant == 1 || quadrant == 2) ? -cc : cc;
  *s = (quadrant >= 2) ? -ss : ss;
}

enum { LANES = 8 };
#define EACH_LANE _Pragma("clang loop vectorize_width(8) interleave_count(1)")

/// For each lane the Philox words of the counters (first + lane, c1, c2, c3), word by word.
INLINE void philox_lanes(const uint32_t key[2], uint32_t first, uint32_t c1, uint32_t c2, uint32_t c3,
                         uint32_t words[4][LANES]) {
  uint32_t k0 = key[0], k1 = key[1];
  for (uint32_t lane = 0; lane < LANES; lane++) {
    words[0][lane] = first + lane;
    words[1][lane] = c1;
    words[2][lane] = c2;
    words[3][lane] = c3;
  }
  for (int round = 0; round < 10; round++, k0 += 0x9E3779B9u, k1 += 0xBB67AE85u)
    EACH_LANE for (int lane = 0; lane < LANES; lane++)
      philox_round(k0, k1, &words[0][lane], &words[1][lane], &words[2][lane], &words[3][lane]);
}

/// Two normals for each lane from two words (Box and Muller).
INLINE void normal_pairs(const uint32_t radius[LANES], const uint32_t angle[LANES], float *restrict cosine,
                         float *restrict sine) {
  EACH_LANE for (int lane = 0; lane < LANES; lane++) {
    // u in (0, 1] for the logarithm, in [0, 1) for the angle.
    float u = ((float)(int32_t)(radius[lane] >> 8) + 1.0f) * 0x1p-24f, c, s;
    float r = __builtin_elementwise_sqrt(-2.0f * logarithm(u));
    cosine_sine_turns((float)(int32_t)(angle[lane] >> 8) * 0x1p-24f, &c, &s);
    cosine[lane] = r * c;
    sine[lane] = r * s;
  }
}

VECTOR_CLONES
void kernel_normals(const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3, float *out, int64_t count) {
  uint32_t words[4][LANES];
  float normals[4][LANES], block[4 * LANES];
  for (int64_t first = 0; first < count; first += 4 * LANES) {
    philox_lanes(key, (uint32_t)(first / 4), c1, c2, c3, words);
    normal_pairs(words[0], words[1], normals[0], normals[1]);
    normal_pairs(words[2], words[3], normals[2], normals[3]);
    for (int i = 0; i < 4 * LANES; i++) block[i] = normals[i % 4][i / 4];
    int64_t left = count - first < 4 * LANES ? count - first : 4 * LANES;
    memcpy(out + first, block, (size_t)left * sizeof(float));
  }
}

void kernel_uniforms(const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3, float *out, int64_t count) {
  for (int64_t first = 0; first < count; first += 4) {
    uint32_t counter[4] = {(uint32_t)(first / 4), c1, c2, c3}, words[4];
    kernel_philox(key, counter, words);
    for (int64_t i = 0; i < 4 && first + i < count; i++) out[first + i] = (float)(int32_t)(words[i] >> 8) * 0x1p-24f;
  }
}
