#pragma once

#include "half.h"

// The types with blocks of 32, as ggml's quantize_row_*_ref, byte for byte: other programs' files of these types are the same.

namespace anneal::ANNEAL_ISA {

/** 1 / scale, and 0 for a scale of 0 or one so small that its inverse overflows (all its weights round to 0). */
inline float inverse(float scale) {
  const float factor = 1.0f / scale;
  return factor > 3.4e38f || factor < -3.4e38f ? 0.0f : factor;
}

/** The weight of largest magnitude among 32, the first of equals, with its sign. */
inline float extreme(const float* x) {
  float found = 0, magnitude = 0;
  for (int i = 0; i < 32; i++) {
    const float size = x[i] < 0 ? -x[i] : x[i];
    if (size > magnitude) magnitude = size, found = x[i];
  }
  return found;
}

/** Half scale d · 32 signed bytes. w = d q. */
inline void encodeQ8_0(const float* x, uint8_t* block) {
  const float most = extreme(x), d = (most < 0 ? -most : most) / 127.0f, factor = inverse(d);
  store16(block, halfOf(d));
  for (int i = 0; i < 32; i++) {
    const double y = x[i] * factor;  // halves go away from zero, as C's roundf
    block[2 + i] = static_cast<uint8_t>(static_cast<int>(y < 0 ? y - 0.5 : y + 0.5));
  }
}

inline int shifted(float x, float factor, float middle, int most) {
  const int q = static_cast<int>(x * factor + middle);
  return q < most ? q : most;
}

/** Half scale d · 16 bytes, low nibbles the first 16 weights, high nibbles the rest. w = d (q - 8). */
inline void encodeQ4_0(const float* x, uint8_t* block) {
  const float d = extreme(x) / -8.0f, factor = inverse(d);
  store16(block, halfOf(d));
  for (int i = 0; i < 16; i++)
    block[2 + i] = static_cast<uint8_t>(shifted(x[i], factor, 8.5f, 15) | (shifted(x[i + 16], factor, 8.5f, 15) << 4));
}

/** 32 fifth bits, then low nibbles as in Q4_0. */
inline void storeFiveBits(const int* q, uint8_t* target) {
  uint32_t fifth = 0;
  for (int i = 0; i < 16; i++) {
    target[4 + i] = static_cast<uint8_t>((q[i] & 15) | ((q[i + 16] & 15) << 4));
    fifth |= static_cast<uint32_t>(q[i] >> 4) << i | static_cast<uint32_t>(q[i + 16] >> 4) << (i + 16);
  }
  std::memcpy(target, &fifth, 4);
}

/** Half scale d · five bits a weight. w = d (q - 16). */
inline void encodeQ5_0(const float* x, uint8_t* block) {
  const float d = extreme(x) / -16.0f, factor = inverse(d);
  store16(block, halfOf(d));
  int q[32];
  for (int i = 0; i < 32; i++) q[i] = shifted(x[i], factor, 16.5f, 31);
  storeFiveBits(q, block + 2);
}

/** Half scale d · half minimum m · five bits a weight. w = d q + m. */
inline void encodeQ5_1(const float* x, uint8_t* block) {
  float least = x[0], most = x[0];
  for (int i = 1; i < 32; i++) {
    if (x[i] < least) least = x[i];
    if (x[i] > most) most = x[i];
  }
  const float d = (most - least) / 31.0f, factor = inverse(d);
  store16(block, halfOf(d));
  store16(block + 2, halfOf(least));
  int q[32];
  for (int i = 0; i < 32; i++) q[i] = shifted(x[i] - least, factor, 0.5f, 31);
  storeFiveBits(q, block + 4);
}

}  // namespace anneal::ANNEAL_ISA
