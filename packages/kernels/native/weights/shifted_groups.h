#pragma once

#include "groups.h"

// Q2_K, Q4_K and Q5_K: w = d · scale · q - dmin · minimum, with q from 0 to kLevels, scale and minimum from 0 to kScales.

namespace anneal::ANNEAL_ISA {

template <int kGroups, int kLevels, int kScales>
struct ShiftedGroups {
  static constexpr bool isQ2 = kLevels == 3;
  using G = Groups<kGroups, isQ2 ? Count::magnitude : Count::magnitude_and_mean>;
  using Floats = typename G::Floats;

  const G groups;
  uint16_t d = 0, dmin = 0;
  Floats scales{}, minima{};  // integers
  Floats q[G::kLength];       // integers

  explicit ShiftedGroups(const float* x) : groups(x) {
    Floats scale{}, minimum{};
    fit(scale, minimum);
    float largest_scale = 0, largest_minimum = 0;
    for (int g = 0; g < kGroups; g++) {
      if (scale[g] > largest_scale) largest_scale = scale[g];
      if (minimum[g] > largest_minimum) largest_minimum = minimum[g];
    }
    choose(scale, minimum, largest_scale, largest_minimum);
  }

 private:
  /** What `leastSquares` needs besides a rounding: sums of each group's counts, and of its weights by them. */
  struct Sums {
    Floats all{}, weights{};

    explicit Sums(const G& groups) {
      for (int k = 0; k < G::kLength; k++) {
        all += groups.counts[k];
        weights += groups.counts[k] * groups.weights[k];
      }
    }
  };
  struct Line {
    Floats scale, minimum;
    typename Floats::Mask isOne;
  };

  /** The scale and minimum of each group that suit its integers best; none for a group whose integers are all equal. */
  template <class Rounded>
  Line leastSquares(const Sums& sums, const Rounded& rounded) const {
    Floats q_sum{}, qq{}, wq{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats w = groups.weights[k], u = rounded(w), vq = groups.counts[k] * u;
      q_sum += vq;
      qq += vq * u;
      wq += vq * w;
    }
    const Floats determinant = sums.all * qq - q_sum * q_sum;
    const auto isOne = determinant > 0.0f;
    const Floats divisor = select(isOne, determinant, 1.0f);
    const Floats scale = (sums.all * wq - sums.weights * q_sum) / divisor;
    const Floats minimum = -(qq * sums.weights - q_sum * wq) / divisor;
    // A minimum is stored without a sign.
    return {select(minimum < 0.0f, wq / select(isOne, qq, 1.0f), scale), most(minimum, Floats{}), isOne};
  }

  /**
   * Each group's scale and minimum by themselves: of many roundings, each from the least value so far, the best, and into q its
   * integers.
   */
  void fit(Floats& scale, Floats& minimum) {
    Floats low{}, high = Floats(-3e38f);
    for (const Floats& w : groups.weights) low = least(low, w), high = most(high, w);
    const auto varies = high > low;
    scale = select(varies, 1.0f / (Floats(kLevels) / select(varies, high - low, 1.0f)), 0.0f);
    minimum = -low;
    const Sums sums(groups);
    const auto rounded = [&](float levels) {
      const Floats from = minimum, factor = Floats(levels) / select(varies, high + from, 1.0f);
      return [=](const Floats& w) { return roundWithin(factor * (w + from), 0, kLevels); };
    };
    const auto take = [&](typename Floats::Mask better, const auto& round) {
      for (int k = 0; k < G::kLength; k++) q[k] = select(better, round(groups.weights[k]), q[k]);
    };
    for (Floats& each : q) each = Floats{};
    take(varies, rounded(kLevels));
    Floats best_error = countedError(scale, minimum, rounded(kLevels));
    constexpr float first = kLevels == 15 ? -1.0f : -0.5f;
    for (int step = 0; step <= (kLevels == 15 ? 20 : 15); step++) {
      const auto round = rounded(first + 0.1f * static_cast<float>(step) + kLevels);
      const Line line = leastSquares(sums, round);
      const Floats error = countedError(line.scale, line.minimum, round);
      const auto better = (error < best_error) & line.isOne & varies;
      take(better, round);
      scale = select(better, line.scale, scale);
      minimum = select(better, line.minimum, minimum);
      best_error = select(better, error, best_error);
    }
  }

  /** As ggml counts errors: those of Q2_K by size, not by square. */
  template <class Rounded>
  Floats countedError(Floats scale, Floats minimum, const Rounded& rounded) const {
    Floats error{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats w = groups.weights[k], e = scale * rounded(w) - minimum - w;
      error += groups.counts[k] * (isQ2 ? most(e, -e) : e * e);
    }
    return error;
  }

  /** d and dmin so that the largest scale and minimum have the last integer, and of all others the nearest; where s is 0, those of the fit. */
  void choose(Floats scale, Floats minimum, float largest_scale, float largest_minimum) {
    d = halfOf(largest_scale / kScales);
    dmin = halfOf(largest_minimum / kScales);
    scales = roundWithin(scale * (largest_scale > 0 ? kScales / largest_scale : 0), 0, kScales);
    minima = roundWithin(minimum * (largest_minimum > 0 ? kScales / largest_minimum : 0), 0, kScales);
    const Floats s = scales * fromHalf(d), m = minima * fromHalf(dmin);
    const auto counts = s > 0.0f;
    for (int k = 0; k < G::kLength; k++) {
      const Floats nearest = roundWithin((groups.weights[k] + m) / select(counts, s, 1.0f), 0, kLevels);
      q[k] = select(counts, nearest, q[k]);
    }
  }
};

}  // namespace anneal::ANNEAL_ISA
