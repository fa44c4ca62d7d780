#pragma once

#include "groups.h"

// Q3_K and Q6_K: w = d · scale · q, with q from -kLevels to kLevels - 1 and a signed scale from -kScales to kScales - 1.
// Q6_K has ggml's own bytes: a search finds 3 % less of an error that is smaller than what llama.cpp's rounding of activations does,
// and with other bytes that falls out otherwise. For Q3_K a search begins there and takes what errs less by our count, and more
// neither plainly nor by ggml's count.

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

  explicit SymmetricGroups(const float* x) : groups(x) {
    chooseAsGgml();
    if constexpr (isQ3) search();
  }
  SymmetricGroups(const SymmetricGroups&) = default;
  SymmetricGroups& operator=(const SymmetricGroups& other) {
    d = other.d;
    scales = other.scales;
    for (int k = 0; k < G::kLength; k++) q[k] = other.q[k];
    return *this;
  }

 private:
  void search() {
    const BlockErrors reference = errors();
    float error = groups.total(reference);
    const Floats best = fitScales();
    const float extreme = extremeOf(best);
    const auto consider = [&](float unit) {
      SymmetricGroups other = *this;
      const float other_error = other.chooseScales(best, halfOf(unit));
      const bool better = other_error < error && other.errors().within(reference);
      if (better) *this = other, error = other_error;
      return better;
    };
    // Which d suits the small scales is luck: some near the one that spans the range, of either sign.
    for (int step = 0; step < 4; step++) {
      consider(extreme / -(kScales - 0.7f * static_cast<float>(step)));
      consider(extreme / (kScales - 1.0f - 0.7f * static_cast<float>(step)));
    }
    for (int round = 0; round < 4 && consider(refitted()); round++) continue;
  }

  /** The one of largest magnitude among the groups', the first of equals, with its sign. */
  static float extremeOf(const Floats& x) {
    float found = 0, size = 0;
    for (int g = 0; g < 16; g++) {
      const float magnitude = x[g] < 0 ? -x[g] : x[g];
      if (magnitude > size) size = magnitude, found = x[g];
    }
    return found;
  }

  BlockErrors errors() const {
    const Floats s = scales * fromHalf(d);
    return groups.errorsOf([&](int k) { return s * q[k]; });
  }

  /**
   * As ggml chooses: the scale of each group by itself, d so that the largest has the last integer, and of all others the nearest.
   * Where the scale is 0 the integers mean nothing: they are those of the fit, and -kLevels where there is none.
   */
  void chooseAsGgml() {
    const auto clear = [&] {
      for (Floats& each : q) each = Floats(-kLevels);
    };
    clear();
    const Floats scale = isQ3 ? fitAsQ3() : fitAsQ6();
    const float extreme = extremeOf(scale);
    if (!(extreme >= kLeast || extreme <= -kLeast)) return clear();
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
  Floats fitAsQ3() const {
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
        const auto better = usable & (with_qq > 0.0f) & (with_wq * with_wq * qq > wq * wq * with_qq);
        integers[k] = select(better, q, old);
        wq = select(better, with_wq, wq);
        qq = select(better, with_qq, qq);
      }
    }
    return select(counts & (qq > 0.0f), wq / select(qq > 0.0f, qq, 1.0f), 0.0f);
  }

  /** Each group's scale by itself: the least squares of many roundings, of which the largest gain Σ w·q² / Σ q² wins. */
  Floats fitScales() const {
    Floats largest{};
    for (const Floats& w : groups.weights) largest = most(largest, most(w, -w));
    const Floats unit = inverseOrZero(largest);
    Floats best{}, best_gain{};
    const auto consider = [&](Floats factor) {
      Floats wq{}, qq{};
      for (int k = 0; k < G::kLength; k++) {
        const Floats q = roundWithin(groups.weights[k] * factor, -kLevels, kLevels - 1), vq = groups.importance[k] * q;
        wq += groups.weights[k] * vq;
        qq += q * vq;
      }
      const Floats scale = wq / most(qq, Floats(1)), gain = scale * wq;
      const auto better = gain > best_gain;
      best = select(better, scale, best);
      best_gain = select(better, gain, best_gain);
    };
    for (int step = -9; step <= 9; step += 2) {
      const float levels = kLevels + 0.1f * static_cast<float>(step);
      consider(unit * levels);
      consider(unit * -levels);
    }
    for (int round = 0; round < 3; round++) consider(inverseOrZero(best));
    return best;
  }

  /** For a given d, of the three integers about each group's scale the best, and its q. Returns the sum of squared errors. */
  float chooseScales(Floats wanted, uint16_t half) {
    d = half;
    const float unit = fromHalf(d);
    const Floats middle = roundWithin(wanted * inverseOrZero(Floats(unit)), -kScales, kScales - 1);
    Floats best_error = Floats(3e38f);
    for (int step = -1; step <= 1; step++) {
      const Floats scale = roundWithin(middle + static_cast<float>(step), -kScales, kScales - 1);
      const Floats error = errorOf(scale * unit);
      const auto better = error < best_error;
      scales = select(better, scale, scales);
      best_error = select(better, error, best_error);
    }
    const Floats factor = inverseOrZero(scales * unit);
    for (int k = 0; k < G::kLength; k++) q[k] = roundWithin(groups.weights[k] * factor, -kLevels, kLevels - 1);
    return sumOf<16>(best_error);
  }

  Floats errorOf(Floats scale) const {
    const Floats factor = inverseOrZero(scale);
    Floats error{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats w = groups.weights[k], e = w - scale * roundWithin(w * factor, -kLevels, kLevels - 1);
      error += groups.importance[k] * e * e;
    }
    return error;
  }

  /** The d that suits all integers best, by least squares. */
  float refitted() const {
    Floats wu{}, uu{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats u = scales * q[k], vu = groups.importance[k] * u;
      wu += groups.weights[k] * vu;
      uu += u * vu;
    }
    const float denominator = sumOf<16>(uu);
    return denominator > 0 ? sumOf<16>(wu) / denominator : 0;
  }
};

}  // namespace anneal::ANNEAL_ISA
