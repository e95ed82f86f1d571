// Counter-based random numbers: noise is a function of what it is for, never of who asks or when.
#include "random.h"
#include "clones.h"
#include "mathematics.h"
#include <math.h>

static inline void philox_rounds(uint32_t k0, uint32_t k1, uint32_t *x0, uint32_t *x1, uint32_t *x2, uint32_t *x3) {
  for (int round = 0; round < 10; round++) {
    uint64_t a = (uint64_t)0xD2511F53u * *x0;
    uint64_t b = (uint64_t)0xCD9E8D57u * *x2;
    uint32_t y0 = (uint32_t)(b >> 32) ^ *x1 ^ k0;
    uint32_t y2 = (uint32_t)(a >> 32) ^ *x3 ^ k1;
    *x1 = (uint32_t)b;
    *x3 = (uint32_t)a;
    *x0 = y0;
    *x2 = y2;
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
}

void kernel_philox(const uint32_t key[2], const uint32_t counter[4], uint32_t out[4]) {
  uint32_t x0 = counter[0], x1 = counter[1], x2 = counter[2], x3 = counter[3];
  philox_rounds(key[0], key[1], &x0, &x1, &x2, &x3);
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}

// cos and sin of 2 pi u for u in [0, 1): quarter turns are exact, the rest is a polynomial.
static inline void cosine_sine_turns(float u, float *c, float *s) {
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

enum { LANES = 16 };

VECTOR_CLONES
void kernel_normals(const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3, float *out, int64_t count) {
  float block[4 * LANES];
  for (int64_t first = 0; first < count; first += 4 * LANES) {
    for (int lane = 0; lane < LANES; lane++) {
      uint32_t x0 = (uint32_t)(first / 4) + (uint32_t)lane, x1 = c1, x2 = c2, x3 = c3;
      philox_rounds(key[0], key[1], &x0, &x1, &x2, &x3);
      // u in (0, 1] for the logarithm, in [0, 1) for the angle.
      float r0 = sqrtf(-2.0f * logarithm(((float)(int32_t)(x0 >> 8) + 1.0f) * 0x1p-24f));
      float r1 = sqrtf(-2.0f * logarithm(((float)(int32_t)(x2 >> 8) + 1.0f) * 0x1p-24f));
      float ca, sa, cb, sb;
      cosine_sine_turns((float)(int32_t)(x1 >> 8) * 0x1p-24f, &ca, &sa);
      cosine_sine_turns((float)(int32_t)(x3 >> 8) * 0x1p-24f, &cb, &sb);
      block[4 * lane] = r0 * ca;
      block[4 * lane + 1] = r0 * sa;
      block[4 * lane + 2] = r1 * cb;
      block[4 * lane + 3] = r1 * sb;
    }
    int64_t left = count - first < 4 * LANES ? count - first : 4 * LANES;
    for (int64_t i = 0; i < left; i++) out[first + i] = block[i];
  }
}

void kernel_uniforms(const uint32_t key[2], uint32_t c1, uint32_t c2, uint32_t c3, float *out, int64_t count) {
  for (int64_t first = 0; first < count; first += 4) {
    uint32_t counter[4] = {(uint32_t)(first / 4), c1, c2, c3}, words[4];
    kernel_philox(key, counter, words);
    for (int64_t i = 0; i < 4 && first + i < count; i++) out[first + i] = (float)(int32_t)(words[i] >> 8) * 0x1p-24f;
  }
}
