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

/** What the squared error of a weight is multiplied by where ggml's own search counts it; of its group, for magnitude_and_mean. */
enum class Count { magnitude, magnitude_and_mean, square };

/** 256 weights in groups. */
template <int kGroups, Count kCount>
struct Groups {
  static constexpr int kLength = 256 / kGroups;
  using Floats = Lanes<kGroups>;

  /** weights[k][g] is weight k of group g. */
  Floats weights[kLength];
  /** As ggml counts it. */
  Floats counts[kLength];

  explicit Groups(const float* x) {
    for (int g = 0; g < kGroups; g++)
      for (int k = 0; k < kLength; k++) weights[k].set(g, x[g * kLength + k]);
    const Floats mean = kCount == Count::magnitude_and_mean ? rootMeanSquare() : Floats{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k];
      counts[k] = kCount == Count::square ? w * w : mean + most(w, -w);
    }
  }

 private:
  Floats rootMeanSquare() const {
    Floats squares{};
    for (const Floats& w : weights) squares += w * w;
    for (int g = 0; g < kGroups; g++) squares.set(g, __builtin_sqrtf(squares[g] / kLength));
    return squares;
  }
};

}  // namespace anneal::ANNEAL_ISA
