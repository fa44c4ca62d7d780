#pragma once

#include "half.h"
#include "lanes.h"

// K-quants cut 256 weights into groups of 16 or 32, each with a scale of few bits. A vector here has one lane a group, so that all
// groups are fitted at once, and sums run down a lane: their order, and so every bit, is the same on every instruction set.

namespace anneal::ANNEAL_ISA {

/** To the nearest integer from low to high, for magnitudes below 2^22 (beyond, the result is at an end all the same). */
template <class Floats>
inline Floats roundWithin(const Floats& x, float low, float high) {
  return nearestIntegers(least(most(x, Floats(low)), Floats(high)));
}

/** 1 / x, and 0 where x is so small that weights of its size have no scale in a half. */
template <class Floats>
inline Floats inverseOrZero(const Floats& x) {
  const auto counts = most(x, -x) > 1e-30f;
  return select(counts, 1.0f / select(counts, x, 1.0f), Floats{});
}

/** What the squared error of a weight is multiplied by where ggml's own search counts it; of its group, for magnitude_and_mean. */
enum class Count { magnitude, magnitude_and_mean, square };

/** Lane by lane the square root. */
template <class Floats>
inline Floats root(const Floats& x, int lanes) {
  alignas(64) float roots[sizeof(Floats) / sizeof(float)];
  x.store(roots);
  for (int lane = 0; lane < lanes; lane++) roots[lane] = __builtin_sqrtf(roots[lane]);
  return Floats::load(roots);
}

inline float sumOfSquares(const float* x, int count) {
  float sum = 0;
  for (int i = 0; i < count; i++) sum += x[i] * x[i];
  return sum;
}

/**
 * Blocks of 256 weights in groups. With the importance of each column an error counts importance · √(kSpread · mean square of the
 * block + w²), importance alone where kSpread is 0, as ggml has it.
 */
template <int kGroups, Count kCount, int kSpread, int kBlocks = 1>
struct Groups {
  static constexpr int kLength = 256 / kGroups, kLanes = kGroups * kBlocks;
  using Floats = Lanes<kLanes>;

  /** weights[k][g] is weight k of group g. */
  Floats weights[kLength];
  /** As ggml counts it. */
  Floats counts[kLength];

  /** @param importance of each weight's column, or null  @param count of blocks; what is behind them is zeros */
  Groups(const float* x, const float* importance, int count = kBlocks) {
    if (count < kBlocks)
      for (Floats& w : weights) w = Floats{};
    for (int g = 0; g < kGroups * count; g++)
      for (int k = 0; k < kLength; k++) weights[k].set(g, x[g * kLength + k]);
    if (importance) {
      float spreads[kLanes] = {};
      for (int g = 0; g < kGroups * count; g++)
        spreads[g] = g % kGroups ? spreads[g - 1] : kSpread * sumOfSquares(x + g * kLength, 256) / 256;
      countBy(importance, count, Floats::load(spreads));
      return;
    }
    const Floats mean = kCount == Count::magnitude_and_mean ? rootMeanSquare() : Floats{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k];
      counts[k] = kCount == Count::square ? w * w : mean + most(w, -w);
    }
  }

  /** Of each group the sum of its counts. */
  Floats countSums() const {
    Floats sums{};
    for (const Floats& count : counts) sums += count;
    return sums;
  }

 private:
  void countBy(const float* importance, int count, const Floats& spread) {
    for (int k = 0; k < kLength; k++) {
      Floats wanted{};
      for (int g = 0; g < kGroups * count; g++) wanted.set(g, importance[g * kLength + k]);
      const Floats w = weights[k];
      counts[k] = kSpread == 0 ? wanted : wanted * root(spread + w * w, kLanes);
    }
  }

  Floats rootMeanSquare() const {
    Floats squares{};
    for (const Floats& w : weights) squares += w * w;
    return root(squares / static_cast<float>(kLength), kLanes);
  }
};

}  // namespace anneal::ANNEAL_ISA
