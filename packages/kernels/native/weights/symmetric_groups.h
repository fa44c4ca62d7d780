#pragma once

#include "groups.h"

// Q3_K and Q6_K: w = d · scale · q, with q from -kLevels to kLevels - 1 and a signed scale from -kScales to kScales - 1.

namespace anneal::ANNEAL_ISA {

template <int kLevels, int kScales>
struct SymmetricGroups {
  static constexpr bool isQ3 = kLevels == 4;
  using G = Groups<16, Count::square>;
  using Floats = G::Floats;
  /** Of groups whose weights or scales are all smaller ggml makes zeros. */
  static constexpr float kLeast = 1e-15f;

  const G groups;
  uint16_t d = 0;
  Floats scales{};       // integers
  Floats q[G::kLength];  // integers

  explicit SymmetricGroups(const float* x) : groups(x) { choose(); }

 private:
  /** The one of largest magnitude among the groups', the first of equals, with its sign. */
  static float extremeOf(const Floats& x) {
    float found = 0, size = 0;
    for (int g = 0; g < 16; g++) {
      const float magnitude = x[g] < 0 ? -x[g] : x[g];
      if (magnitude > size) size = magnitude, found = x[g];
    }
    return found;
  }

  /**
   * The scale of each group by itself, d so that the largest has the last integer, and of all others the nearest.
   * Where the scale is 0 the integers mean nothing: they are those of the fit, and -kLevels where there is none.
   */
  void choose() {
    const auto clear = [&] {
      for (Floats& each : q) each = Floats(-kLevels);
    };
    clear();
    const Floats scale = isQ3 ? fitAsQ3() : fitAsQ6();
    const float extreme = extremeOf(scale);
    if (isQ3 && extreme == 0) {
      scales = Floats(-kScales);
      return;
    }
    if (!isQ3 && !(extreme >= kLeast || extreme <= -kLeast)) return clear();
    const float factor = -kScales / extreme;
    d = halfOf(1 / factor);
    scales = roundWithin(scale * factor, -kScales, kScales - 1);
    const Floats s = scales * fromHalf(d);
    const auto counts = most(s, -s) > 0.0f;
    for (int k = 0; k < G::kLength; k++) {
      const Floats nearest = roundWithin(groups.weights[k] / select(counts, s, 1.0f), -kLevels, kLevels - 1);
      q[k] = select(counts, nearest, q[k]);
    }
  }

  /** The weight of largest magnitude of each group, the first of equals; 0 in groups whose weights are all too small. */
  Floats extremeWeights() const {
    Floats found{}, size(kLeast);
    for (const Floats& w : groups.weights) {
      const auto larger = most(w, -w) > size;
      size = select(larger, most(w, -w), size);
      found = select(larger, w, found);
    }
    return found;
  }

  /** The least squares of many roundings, of which the largest gain wins, and into q its integers. */
  Floats fitAsQ6() {
    const Floats extreme = extremeWeights();
    const auto counts = most(extreme, -extreme) > 0.0f;
    const Floats divisor = select(counts, extreme, 1.0f);
    Floats best{}, best_gain{};
    const auto consider = [&](float levels, bool isFirst) {
      const Floats factor = -levels / divisor;
      Floats integers[G::kLength], wq{}, qq{};
      for (int k = 0; k < G::kLength; k++) {
        integers[k] = roundWithin(factor * groups.weights[k], -kLevels, kLevels - 1);
        wq += groups.counts[k] * groups.weights[k] * integers[k];
        qq += groups.counts[k] * integers[k] * integers[k];
      }
      const auto better = isFirst ? counts : (qq > 0.0f) & (wq * wq > best_gain * qq);
      for (int k = 0; k < G::kLength; k++) q[k] = select(better, integers[k], q[k]);
      const Floats scale = select(qq > 0.0f, wq / select(qq > 0.0f, qq, 1.0f), 0.0f);
      best = select(better, scale, best);
      best_gain = select(better, scale * wq, best_gain);
    };
    consider(kLevels, true);
    for (int step = -9; step <= 9; step++)
      if (step != 0) consider(kLevels + 0.1f * static_cast<float>(step), false);
    return best;
  }

  /** One rounding, whose integers are then changed one after another where that serves. */
  Floats fitAsQ3() {
    const Floats extreme = extremeWeights();
    const auto counts = most(extreme, -extreme) > 0.0f;
    const Floats factor = Floats(-kLevels) / select(counts, extreme, 1.0f);
    Floats integers[G::kLength], wq{}, qq{};
    for (int k = 0; k < G::kLength; k++) {
      integers[k] = roundWithin(factor * groups.weights[k], -kLevels, kLevels - 1);
      wq += groups.counts[k] * groups.weights[k] * integers[k];
      qq += groups.counts[k] * integers[k] * integers[k];
    }
    for (int round = 0; round < 5; round++) {
      for (int k = 0; k < G::kLength; k++) {
        const Floats w = groups.weights[k], v = groups.counts[k], old = integers[k];
        Floats without_wq = wq - v * w * old, without_qq = qq - v * old * old;
        const auto usable = without_wq > 0.0f;
        const Floats q = roundWithin(w * without_qq / select(usable, without_wq, 1.0f), -kLevels, kLevels - 1);
        const Floats with_wq = without_wq + v * w * q, with_qq = without_qq + v * q * q;
        const auto changes = most(q - old, old - q) > 0.0f;
        const auto better = changes & usable & (with_qq > 0.0f) & (with_wq * with_wq * qq > wq * wq * with_qq);
        integers[k] = select(better, q, old);
        wq = select(better, with_wq, wq);
        qq = select(better, with_qq, qq);
      }
    }
    for (int k = 0; k < G::kLength; k++) q[k] = select(counts, integers[k], q[k]);
    return select(counts & (qq > 0.0f), wq / select(qq > 0.0f, qq, 1.0f), 0.0f);
  }
};

}  // namespace anneal::ANNEAL_ISA
