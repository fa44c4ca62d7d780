#pragma once

#include "common_scale.h"

// Q2_K, Q4_K and Q5_K: w = d · scale · q - dmin · minimum, with q from 0 to kLevels, scale and minimum from 0 to kScales.

namespace anneal::ANNEAL_ISA {

/** The roundings that are tried: `count` of them, of which the first puts the range at kLevels + first, the next `step` further. */
struct Roundings {
  float first, step;
  int count;
};

/** ggml's with an importance matrix, for every type with minima. */
constexpr Roundings kRoundingsByImportance = {-0.9f, 0.05f, 37};

/** Weights of a group, one group a lane, as scale · q - minimum. Errors count by size, not by square, where kBySize. */
template <class Floats, int kLength, int kLevels, bool kBySize>
struct ShiftedFit {
  Floats scale{}, minimum{};
  Floats q[kLength];  // integers

  ShiftedFit(const Floats* group_weights, const Floats* group_counts, Roundings roundings) : weights(group_weights), counts(group_counts) {
    fit(roundings);
  }

 private:
  const Floats* weights;
  const Floats* counts;

  /** What `leastSquares` needs besides a rounding: sums of each group's counts, and of its weights by them. */
  struct Sums {
    Floats all{}, weights{};
  };
  struct Line {
    Floats scale, minimum;
    typename Floats::Mask isOne;
  };

  Sums sum() const {
    Sums sums;
    for (int k = 0; k < kLength; k++) {
      sums.all += counts[k];
      sums.weights += counts[k] * weights[k];
    }
    return sums;
  }

  /** The scale and minimum of each group that suit its integers best; none for a group whose integers are all equal. */
  template <class Rounded>
  Line leastSquares(const Sums& sums, const Rounded& rounded) const {
    Floats q_sum{}, qq{}, wq{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k], u = rounded(w), vq = counts[k] * u;
      q_sum += vq;
      qq += vq * u;
      wq += vq * w;
    }
    const Floats determinant = sums.all * qq - q_sum * q_sum;
    const auto isOne = determinant > 0.0f;
    const Floats divisor = select(isOne, determinant, 1.0f);
    const Floats slope = (sums.all * wq - sums.weights * q_sum) / divisor;
    const Floats offset = -(qq * sums.weights - q_sum * wq) / divisor;
    // A minimum is stored without a sign; the zeros' signs are ggml's.
    const auto isNone = offset < 0.0f;
    return {select(isNone, wq / select(isOne, qq, 1.0f), slope), select(isNone, -Floats{}, offset), isOne};
  }

  /**
   * Each group's scale and minimum by themselves: of many roundings, each from the least value so far, the best, and into q its
   * integers.
   */
  void fit(Roundings roundings) {
    Floats low = weights[0], high = weights[0];
    for (int k = 1; k < kLength; k++) low = least(weights[k], low), high = most(weights[k], high);
    low = select(low > 0.0f, Floats{}, low);
    const auto varies = high > low;
    scale = select(varies, 1.0f / (Floats(kLevels) / select(varies, high - low, 1.0f)), 0.0f);
    minimum = -low;
    const Sums sums = sum();
    const auto rounded = [&](float levels) {
      const Floats from = minimum, factor = Floats(levels) / select(varies, high + from, 1.0f);
      return [=](const Floats& w) { return roundWithin(factor * (w + from), 0, kLevels); };
    };
    const auto take = [&](typename Floats::Mask better, const auto& round) {
      for (int k = 0; k < kLength; k++) q[k] = select(better, round(weights[k]), q[k]);
    };
    for (Floats& each : q) each = Floats{};
    take(varies, rounded(kLevels));
    Floats best_error = countedError(scale, minimum, rounded(kLevels));
    for (int step = 0; step < roundings.count; step++) {
      const auto round = rounded(roundings.first + roundings.step * static_cast<float>(step) + kLevels);
      const Line line = leastSquares(sums, round);
      const Floats error = countedError(line.scale, line.minimum, round);
      const auto better = (error < best_error) & line.isOne & varies;
      take(better, round);
      scale = select(better, line.scale, scale);
      minimum = select(better, line.minimum, minimum);
      best_error = select(better, error, best_error);
    }
  }

  template <class Rounded>
  Floats countedError(Floats slope, Floats offset, const Rounded& rounded) const {
    Floats error{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k], e = slope * rounded(w) - offset - w;
      error += counts[k] * (kBySize ? most(e, -e) : e * e);
    }
    return error;
  }
};

template <int kGroups, int kLevels, int kScales, bool kByImportance>
struct ShiftedGroups {
  static constexpr bool isQ2 = kLevels == 3;
  using G = Groups<kGroups, isQ2 ? Count::magnitude : Count::magnitude_and_mean, isQ2 ? 1 : 2>;
  using Floats = typename G::Floats;
  /** As ggml counts without an importance matrix. */
  static constexpr bool kBySize = isQ2 && !kByImportance;
  static constexpr Roundings kRoundings = kByImportance  ? kRoundingsByImportance
                                          : kLevels == 15 ? Roundings{-1.0f, 0.1f, 21}
                                                          : Roundings{-0.5f, 0.1f, 16};

  const G groups;
  uint16_t d = 0, dmin = 0;
  Floats scales{}, minima{};  // integers
  ShiftedFit<Floats, G::kLength, kLevels, kBySize> fit;
  Floats (&q)[G::kLength] = fit.q;

  /** @param importance of each weight's column; null unless kByImportance */
  ShiftedGroups(const float* x, const float* importance) : groups(x, importance), fit(groups.weights, groups.counts, kRoundings) {
    if constexpr (kByImportance) {
      const Floats counts = groups.countSums();
      choose(commonScale<kScales, kGroups>(fit.scale, counts), commonScale<kScales, kGroups>(fit.minimum, counts));
    } else {
      choose(largestIsLast(fit.scale), largestIsLast(fit.minimum));
    }
  }

 private:
  static CommonScale<Floats> largestIsLast(const Floats& x) {
    float largest = 0;
    for (int g = 0; g < kGroups; g++)
      if (x[g] > largest) largest = x[g];
    return {largest / kScales, roundWithin(x * (largest > 0 ? kScales / largest : 0), 0, kScales)};
  }

  /** Of all weights the nearest integers; where the scale of a group is 0, those of the fit. */
  void choose(const CommonScale<Floats>& scale, const CommonScale<Floats>& minimum) {
    d = halfOf(scale.scale);
    dmin = halfOf(minimum.scale);
    scales = scale.integers;
    minima = minimum.integers;
    const Floats s = scales * fromHalf(d), m = minima * fromHalf(dmin);
    const auto counts = s > 0.0f;
    for (int k = 0; k < G::kLength; k++) {
      const Floats nearest = roundWithin((groups.weights[k] + m) / select(counts, s, 1.0f), 0, kLevels);
      q[k] = select(counts, nearest, q[k]);
    }
  }
};

}  // namespace anneal::ANNEAL_ISA
