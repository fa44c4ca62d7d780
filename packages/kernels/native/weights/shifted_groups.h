#pragma once

#include "groups.h"

// Q2_K, Q4_K and Q5_K: w = d · scale · q - dmin · minimum, with q from 0 to kLevels, scale and minimum from 0 to kScales.

namespace anneal::ANNEAL_ISA {

template <int Count, int kLevels, int kScales>
struct ShiftedGroups {
  using G = Groups<Count, Importance::magnitude>;
  using Floats = typename G::Floats;

  const G groups;
  uint16_t d = 0, dmin = 0;
  Floats scales{}, minima{};  // integers
  Floats q[G::kLength];       // integers

  explicit ShiftedGroups(const float* x) : groups(x) {
    Floats scale{}, minimum{};
    fit(scale, minimum);
    float largest_scale = 0, largest_minimum = 0;
    for (int g = 0; g < Count; g++) {
      if (scale[g] > largest_scale) largest_scale = scale[g];
      if (minimum[g] > largest_minimum) largest_minimum = minimum[g];
    }
    float error = 3e38f;
    const auto consider = [&](float unit, float unit_minimum) {
      ShiftedGroups other = *this;
      const float other_error = other.choose(scale, minimum, halfOf(unit), halfOf(unit_minimum));
      const bool better = other_error < error;
      if (better) *this = other, error = other_error;
      return better;
    };
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
  /** Each group's scale and minimum by themselves: the least squares of many roundings, of which the largest gain wins. */
  void fit(Floats& scale, Floats& minimum) const {
    Floats low{}, high = Floats(-3e38f), sum{}, n{};
    for (int k = 0; k < G::kLength; k++) {
      const Floats w = groups.weights[k], v = groups.importance[k];
      low = least(low, w);
      high = most(high, w);
      sum += v * w;
      n += v;
    }
    scale = Floats{};
    minimum = most(-sum / n, Floats{});
    Floats best_gain = minimum * minimum * n;
    const auto consider = [&](Floats factor, Floats from) {
      Floats q_sum{}, qq{}, wq{};
      for (int k = 0; k < G::kLength; k++) {
        const Floats w = groups.weights[k], q = roundWithin((w - from) * factor, 0, kLevels);
        const Floats vq = groups.importance[k] * q;
        q_sum += vq;
        qq += q * vq;
        wq += w * vq;
      }
      const Floats determinant = n * qq - q_sum * q_sum;
      const Floats divisor = most(determinant, Floats(1));
      Floats s = (n * wq - q_sum * sum) / divisor, m = (q_sum * wq - qq * sum) / divisor;
      s = select(m < 0.0f, wq / most(qq, Floats(1)), s);  // a minimum is stored without a sign
      m = most(m, Floats{});
      const Floats gain = 2.0f * (s * wq - m * sum) - (s * s * qq - 2.0f * s * m * q_sum + n * m * m);
      const auto better = (gain > best_gain) & (s > 0.0f);
      scale = select(better, s, scale);
      minimum = select(better, m, minimum);
      best_gain = select(better, gain, best_gain);
    };
    const Floats unit = inverseOrZero(high - low);
    for (int step = -10; step <= 10; step++) consider(unit * (kLevels + 0.1f * static_cast<float>(step)), low);
    for (int round = 0; round < 3; round++) consider(inverseOrZero(scale), -minimum);
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
    return sumOf<Count>(best_error);
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
    const float uu = sumOf<Count>(uu_lanes), uv = sumOf<Count>(u_lanes * minima), vv = sumOf<Count>(n * minima * minima);
    const float wu = sumOf<Count>(wu_lanes), wv = sumOf<Count>(w_lanes * minima);
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
