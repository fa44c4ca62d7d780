#pragma once

#include "half.h"
#include "lanes.h"

// K-quants cut 256 weights into groups of 16 or 32, each with a scale of few bits. A vector here has one lane a group, so that all
// groups are fitted at once, and sums run down a lane: their order, and so every bit, is the same on every instruction set.

namespace anneal::ANNEAL_ISA {

template <class Floats>
inline Floats least(const Floats& a, const Floats& b) {
  return select(a < b, a, b);
}

template <class Floats>
inline Floats most(const Floats& a, const Floats& b) {
  return select(a > b, a, b);
}

/** To the nearest integer from low to high, for magnitudes below 2^22 (beyond, the result is at an end all the same). */
template <class Floats>
inline Floats roundWithin(const Floats& x, float low, float high) {
  return (least(most(x, Floats(low)), Floats(high)) + 12582912.0f) - 12582912.0f;
}

/** 1 / x, and 0 where x is so small that weights of its size have no scale in a half. */
template <class Floats>
inline Floats inverseOrZero(const Floats& x) {
  const auto counts = most(x, -x) > 1e-30f;
  return select(counts, 1.0f / select(counts, x, 1.0f), Floats{});
}

/** Sum over the lanes, in their order. */
template <int Count, class Floats>
inline float sumOf(const Floats& x) {
  float sum = 0;
  for (int g = 0; g < Count; g++) sum += x[g];
  return sum;
}

/** By what of a weight its squared error counts. */
enum class Importance { magnitude, square };

/**
 * How much the squared error of each weight of a block counts: half by its magnitude or square, relative to the block's mean, and half
 * all alike. Large weights move the output of their row most. llama.cpp counts magnitudes (Q2_K, Q4_K, Q5_K: with the group's mean) or
 * squares (Q3_K, Q6_K) alone; so the sum of errors is below its own both by its count and plainly.
 */
template <int Count, Importance kind, class Floats>
inline void rate(const Floats* weights, Floats* importance) {
  Floats largest{}, sums{};
  for (int k = 0; k < 256 / Count; k++) largest = most(largest, most(weights[k], -weights[k]));
  float size = 0;
  for (int g = 0; g < Count; g++) size = largest[g] > size ? largest[g] : size;
  const Floats unit = inverseOrZero(Floats(size));
  for (int k = 0; k < 256 / Count; k++) {
    const Floats w = weights[k] * unit;
    importance[k] = kind == Importance::square ? w * w : most(w, -w);
    sums += importance[k];
  }
  const Floats scale = inverseOrZero(Floats(sumOf<Count>(sums) / 256));
  for (int k = 0; k < 256 / Count; k++) importance[k] = importance[k] * scale + 1.0f;
}

template <int Count, Importance kind>
struct Groups {
  static constexpr int kLength = 256 / Count;
  using Floats = Lanes<Count>;

  /** weights[k][g] is weight k of group g. */
  Floats weights[kLength];
  /** From 1 to 257. */
  Floats importance[kLength];

  explicit Groups(const float* x) {
    for (int g = 0; g < Count; g++)
      for (int k = 0; k < kLength; k++) weights[k].set(g, x[g * kLength + k]);
    rate<Count, kind>(weights, importance);
  }
};

}  // namespace anneal::ANNEAL_ISA
