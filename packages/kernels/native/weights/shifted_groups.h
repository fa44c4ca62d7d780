#pragma once

#include "groups.h"

// Q2_K, Q4_K and Q5_K: w = d · scale · q - dmin · minimum, with q from 0 to kLevels, scale and minimum from 0 to kScales.
// The search begins with ggml's own choice and takes what errs less by our count, and more neither plainly nor by ggml's count.

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
    chooseAsGgml(scale, minimum, largest_scale, largest_minimum);
    const BlockErrors reference = errors();
    float error = groups.total(reference);
    const auto consider = [&](float unit, float unit_minimum) {
      ShiftedGroups other = *this;
      const float other_error = other.choose(scale, minimum, halfOf(unit), halfOf(unit_minimum));
      const bool better = other_error < error && other.errors().within(reference);
      if (better) *this = other, error = other_error;
      return better;
    };
    improve(scale, minimum);
    // Which d suits the small scales is luck: some near the one that spans the range.
    for (int step = 0; step < 3; step++) {
      const float span = kScales - 0.7f * static_cast<float>(step);
      consider(largest_scale / span, largest_minimum / span);
    }
    // Both the integers and d, dmin are a guess at first: each in turn is made the best for the other.
    for (int round = 0; round < 4; round++) {
      float unit, unit_minimum;
      refit(unit, unit_minimum);
      if (!consider(unit, unit_minimum)) break;
    }
  }
  ShiftedGroups(const ShiftedGroups&) = default;
  ShiftedGroups& operator=(const ShiftedGroups& other) {
    d = other.d;
    dmin = other.dmin;
    scales = other.scales;
    minima = other.minima;
    for (int k = 0; k < G::kLength; k++) q[k] = other.q[k];
    return *this;
  }

 private:
  /** What `leastSquares` needs besides a rounding: sums of each group's importance, and of its weights by it. */
  struct Sums {
    const Floats* importance;
    Floats all{}, weights{};

    Sums(const G& groups, const Floats* by) : importance(by) {
      for (int k = 0; k < G::kLength; k++) {
        all += by[k];
        weights += by[k] * groups.weights[k];
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
      const Floats w = groups.weights[k], u = rounded(w), vq = sums.importance[k] * u;
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

  /** Each group's scale and minimum by themselves, as ggml does: of many roundings, each from the least value so far, the best. */
  void fit(Floats& scale, Floats& minimum) const {
    Floats low{}, high = Floats(-3e38f);
    for (const Floats& w : groups.weights) low = least(low, w), high = most(high, w);
    const auto varies = high > low;
    scale = select(varies, 1.0f / (Floats(kLevels) / select(varies, high - low, 1.0f)), 0.0f);
    minimum = -low;
    const Sums sums(groups, groups.counts);
    const auto rounded = [&](float levels) {
      const Floats from = minimum, factor = Floats(levels) / select(varies, high + from, 1.0f);
      return [=](const Floats& w) { return roundWithin(factor * (w + from), 0, kLevels); };
    };
    Floats best_error = countedError(scale, minimum, rounded(kLevels));
    constexpr float first = kLevels == 15 ? -1.0f : -0.5f;
    for (int step = 0; step <= (kLevels == 15 ? 20 : 15); step++) {
      const auto round = rounded(first + 0.1f * static_cast<float>(step) + kLevels);
      const Line line = leastSquares(sums, round);
      const Floats error = countedError(line.scale, line.minimum, round);
      const auto better = (error < best_error) & line.isOne & varies;
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

  /** By our own count: the line through the integers that are nearest to the line so far. */
  void improve(Floats& scale, Floats& minimum) const {
    const Sums sums(groups, groups.importance);
    for (int round = 0; round < 3; round++) {
      const Floats factor = inverseOrZero(scale), from = minimum;
      const auto rounded = [&](const Floats& w) { return roundWithin((w + from) * factor, 0, kLevels); };
      const Line line = leastSquares(sums, rounded);
      const auto usable = line.isOne & (line.scale > 0.0f);
      scale = select(usable, line.scale, scale);
      minimum = select(usable, line.minimum, minimum);
    }
  }

  /** The integers as ggml chooses them: each alone, the nearest. */
  void chooseAsGgml(Floats scale, Floats minimum, float largest_scale, float largest_minimum) {
    d = halfOf(largest_scale / kScales);
    dmin = halfOf(largest_minimum / kScales);
    scales = roundWithin(scale * (largest_scale > 0 ? kScales / largest_scale : 0), 0, kScales);
    minima = roundWithin(minimum * (largest_minimum > 0 ? kScales / largest_minimum : 0), 0, kScales);
    const Floats s = scales * fromHalf(d), m = minima * fromHalf(dmin);
    const auto counts = s > 0.0f;
    for (int k = 0; k < G::kLength; k++)
      q[k] = roundWithin(select(counts, (groups.weights[k] + m) / select(counts, s, 1.0f), 0.0f), 0, kLevels);
  }

  BlockErrors errors() const {
    const Floats s = scales * fromHalf(d), m = minima * fromHalf(dmin);
    return groups.errorsOf([&](int k) { return s * q[k] - m; });
  }

  /** For given d and dmin, of the nine pairs of integers about each group's scale and minimum the best. Returns the squared error. */
  float choose(Floats scale, Floats minimum, uint16_t half, uint16_t half_minimum) {
    d = half;
    dmin = half_minimum;
    const float unit = fromHalf(d), unit_minimum = fromHalf(dmin);
    const Floats middle = roundWithin(scale * inverseOrZero(Floats(unit)), 0, kScales);
    const Floats middle_minimum = roundWithin(minimum * inverseOrZero(Floats(unit_minimum)), 0, kScales);
    Floats best_error = Floats(3e38f);
    for (int step = -1; step <= 1; step++) {
      for (int step_minimum = -1; step_minimum <= 1; step_minimum++) {
        const Floats s = roundWithin(middle + static_cast<float>(step), 0, kScales);
        const Floats m = roundWithin(middle_minimum + static_cast<float>(step_minimum), 0, kScales);
        const Floats error = errorOf(s * unit, m * unit_minimum);
        const auto better = error < best_error;
        scales = select(better, s, scales);
        minima = select(better, m, minima);
        best_error = select(better, error, best_error);
      }
    }
    const Floats factor = inverseOrZero(scales * unit), shift = minima * unit_minimum;
    for (int k = 0; k < G::kLength; k++) q[k] = roundWithin((groups.weights[k] + shift) * factor, 0, kLevels);
    return sumOf<kGroups>(best_error);
  }

  Floats errorOf(Floats scale, Floats minimum) const {
    const Floats factor = inverseOrZero(scale);
    Floats error{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats w = groups.weights[k];
      const Floats e = w + minimum - scale * roundWithin((w + minimum) * factor, 0, kLevels);
      error += groups.importance[k] * e * e;
    }
    return error;
  }

  /** The d and dmin that suit all integers best, by least squares. */
  void refit(float& unit, float& unit_minimum) const {
    Floats uu_lanes{}, u_lanes{}, wu_lanes{}, w_lanes{}, n{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats u = scales * q[k], w = groups.weights[k], v = groups.importance[k];
      uu_lanes += v * u * u;
      u_lanes += v * u;
      wu_lanes += v * w * u;
      w_lanes += v * w;
      n += v;
    }
    const float uu = sumOf<kGroups>(uu_lanes), uv = sumOf<kGroups>(u_lanes * minima), vv = sumOf<kGroups>(n * minima * minima);
    const float wu = sumOf<kGroups>(wu_lanes), wv = sumOf<kGroups>(w_lanes * minima);
    const float determinant = uu * vv - uv * uv;
    unit = uu > 0 ? wu / uu : 0;
    unit_minimum = 0;
    if (!(determinant > 0)) return;
    const float with_minimum = (wu * vv - wv * uv) / determinant, minimum = (wu * uv - wv * uu) / determinant;
    if (!(with_minimum > 0) || !(minimum >= 0)) return;
    unit = with_minimum;
    unit_minimum = minimum;
  }
};

}  // namespace anneal::ANNEAL_ISA
