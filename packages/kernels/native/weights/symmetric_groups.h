#pragma once

#include "groups.h"

// Q3_K and Q6_K: w = d · scale · q, with q from -kLevels to kLevels - 1 and a signed scale from -kScales to kScales - 1.

namespace anneal::ANNEAL_ISA {

/** Of groups whose weights or scales are all smaller ggml makes zeros. */
constexpr float kLeast = 1e-15f;

/** The weight of largest magnitude of each group, the first of equals; 0 in groups whose weights are all too small. */
template <int kLength, class Floats>
Floats extremeWeights(const Floats* weights) {
  Floats found{}, size(kLeast);
  for (int k = 0; k < kLength; k++) {
    const Floats w = weights[k];
    const auto larger = most(w, -w) > size;
    size = select(larger, most(w, -w), size);
    found = select(larger, w, found);
  }
  return found;
}

/**
 * The scale of each group: the least squares of many roundings, of which the largest gain wins, and into q its integers. Those of a
 * group without weights of any size stay as they are.
 */
template <int kLevels, int kLength, class Floats>
Floats fitSymmetric(const Floats* weights, const Floats* counts, Floats* q) {
  const Floats extreme = extremeWeights<kLength>(weights);
  const auto isAny = most(extreme, -extreme) > 0.0f;
  const Floats divisor = select(isAny, extreme, 1.0f);
  Floats best{}, best_gain{};
  const auto consider = [&](float levels, bool isFirst) {
    const Floats factor = -levels / divisor;
    Floats integers[kLength], wq{}, qq{};
    for (int k = 0; k < kLength; k++) {
      integers[k] = roundWithin(factor * weights[k], -kLevels, kLevels - 1);
      wq += counts[k] * weights[k] * integers[k];
      qq += counts[k] * integers[k] * integers[k];
    }
    const auto better = isFirst ? isAny : isAny & (qq > 0.0f) & (wq * wq > best_gain * qq);
    for (int k = 0; k < kLength; k++) q[k] = select(better, integers[k], q[k]);
    const Floats scale = select(qq > 0.0f, wq / select(qq > 0.0f, qq, 1.0f), 0.0f);
    best = select(better, scale, best);
    best_gain = select(better, scale * wq, best_gain);
  };
  consider(kLevels, true);
  for (int step = -9; step <= 9; step++)
    if (step != 0) consider(kLevels + 0.1f * static_cast<float>(step), false);
  return best;
}

template <int kLevels, int kScales, bool kByImportance>
struct SymmetricGroups {
  static constexpr bool isQ3 = kLevels == 4;
  using G = Groups<16, Count::square, isQ3 ? 2 : 0>;
  using Floats = typename G::Floats;

  const G groups;
  uint16_t d = 0;
  Floats scales{};       // integers
  Floats q[G::kLength];  // integers

  /** @param importance of each weight's column; null unless kByImportance */
  SymmetricGroups(const float* x, const float* importance) : groups(x, importance) { choose(); }

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
   * The scale of each group by itself, d for all of them, and of all weights the nearest integers.
   * Where the scale is 0 the integers mean nothing: they are those of the fit, and -kLevels where there is none.
   */
  void choose() {
    const auto clear = [&] {
      for (Floats& each : q) each = Floats(-kLevels);
    };
    clear();
    const Floats scale = isQ3 && !kByImportance ? fitAsQ3() : fitSymmetric<kLevels, G::kLength>(groups.weights, groups.counts, q);
    const float extreme = extremeOf(scale);
    if (isQ3 && kByImportance) {
      d = halfOf(fitScales(scale));
    } else {
      if (isQ3 && extreme == 0) {
        scales = Floats(-kScales);
        return;
      }
      if (!isQ3 && !(extreme >= kLeast || extreme <= -kLeast)) return clear();
      const float factor = -kScales / extreme;  // the largest has the last integer
      d = halfOf(1 / factor);
      scales = roundWithin(scale * factor, -kScales, kScales - 1);
    }
    const Floats s = scales * fromHalf(d);
    const auto counts = most(s, -s) > 0.0f;
    for (int k = 0; k < G::kLength; k++) {
      const Floats nearest = roundWithin(groups.weights[k] / select(counts, s, 1.0f), -kLevels, kLevels - 1);
      q[k] = select(counts, nearest, q[k]);
    }
  }

  /** The scales as weights of one group, which counts of their own make: into `scales` its integers. */
  float fitScales(const Floats& scale) {
    using One = Lanes<4>;  // four times the same
    const Floats sums = groups.countSums();
    One weights[16], counts[16], integers[16];
    for (int g = 0; g < 16; g++) weights[g] = One(scale[g]), counts[g] = One(sums[g]), integers[g] = One(-kScales);
    const One found = fitSymmetric<kScales, 16>(weights, counts, integers);
    for (int g = 0; g < 16; g++) scales.set(g, integers[g][0]);
    return found[0];
  }

  /** One rounding, whose integers are then changed one after another where that serves. */
  Floats fitAsQ3() {
    const Floats extreme = extremeWeights<G::kLength>(groups.weights);
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
        const Floats nearest = roundWithin(w * without_qq / select(usable, without_wq, 1.0f), -kLevels, kLevels - 1);
        const Floats with_wq = without_wq + v * w * nearest, with_qq = without_qq + v * nearest * nearest;
        const auto changes = most(nearest - old, old - nearest) > 0.0f;
        const auto better = changes & usable & (with_qq > 0.0f) & (with_wq * with_wq * qq > wq * wq * with_qq);
        integers[k] = select(better, nearest, old);
        wq = select(better, with_wq, wq);
        qq = select(better, with_qq, qq);
      }
    }
    for (int k = 0; k < G::kLength; k++) q[k] = select(counts, integers[k], q[k]);
    return select(counts & (qq > 0.0f), wq / select(qq > 0.0f, qq, 1.0f), 0.0f);
  }
};

}  // namespace anneal::ANNEAL_ISA
