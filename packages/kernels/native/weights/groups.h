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

/** What the squared error of a weight is multiplied by where ggml's own search counts it; of its group, for magnitude_and_mean. */
enum class Count { magnitude, magnitude_and_mean, square };

/** Sums of squared errors over a block: plainly, and as ggml counts them. */
struct BlockErrors {
  float plain = 3e38f, counted = 3e38f;

  bool within(const BlockErrors& other) const { return plain <= other.plain && counted <= other.counted; }
};

/** 256 weights in groups. Large weights move the output of their row most: half of an error's importance is ggml's count of it. */
template <int kGroups, Count kCount>
struct Groups {
  static constexpr int kLength = 256 / kGroups;
  using Floats = Lanes<kGroups>;

  /** weights[k][g] is weight k of group g. */
  Floats weights[kLength];
  /** As ggml counts it. */
  Floats counts[kLength];
  /** 1 + the count relative to its mean over the block: from 1 to 257. */
  Floats importance[kLength];
  /** 1 / the mean count, which makes an importance of a count. */
  float balance;

  explicit Groups(const float* x) {
    for (int g = 0; g < kGroups; g++)
      for (int k = 0; k < kLength; k++) weights[k].set(g, x[g * kLength + k]);
    const Floats mean = kCount == Count::magnitude_and_mean ? rootMeanSquare() : Floats{};
    Floats sums{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k];
      counts[k] = kCount == Count::square ? w * w : mean + most(w, -w);
      sums += counts[k];
    }
    const Floats scale = inverseOrZero(Floats(sumOf<kGroups>(sums) / 256));
    for (int k = 0; k < kLength; k++) importance[k] = counts[k] * scale + 1.0f;
    balance = scale[0];
  }

  /** @param decoded (k) are the weights k of all groups as they are read */
  template <class Decoded>
  BlockErrors errorsOf(const Decoded& decoded) const {
    Floats plain{}, counted{};
    for (int k = 0; k < kLength; k++) {
      const Floats e = weights[k] - decoded(k);
      plain += e * e;
      counted += counts[k] * e * e;
    }
    return {sumOf<kGroups>(plain), sumOf<kGroups>(counted)};
  }

  float total(const BlockErrors& errors) const { return errors.plain + balance * errors.counted; }

 private:
  Floats rootMeanSquare() const {
    Floats squares{};
    for (const Floats& w : weights) squares += w * w;
    for (int g = 0; g < kGroups; g++) squares.set(g, __builtin_sqrtf(squares[g] / kLength));
    return squares;
  }
};

}  // namespace anneal::ANNEAL_ISA
