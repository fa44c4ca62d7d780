#pragma once

#include "groups.h"

// What the scales of groups are stored as: integers of few bits times one number for all of them. Without an importance matrix the
// largest gets the last integer; with one ggml looks for the number that suits all best.

namespace anneal::ANNEAL_ISA {

inline float nearestInteger(float x) { return (x + kToIntegers) - kToIntegers; }

/** Integers from 0 to kMost, and the number they are times of. */
template <class Floats>
struct CommonScale {
  float scale = 0;
  Floats integers{};
};

/** Of numbers that are not negative. @param counts how much the squared error of each counts */
template <int kMost, int kGroups, class Floats>
CommonScale<Floats> commonScale(const Floats& x, const Floats& counts) {
  CommonScale<Floats> found;
  float largest = 0;
  for (int g = 0; g < kGroups; g++) largest = x[g] > largest ? x[g] : largest;
  if (largest < 1e-15f) return found;
  const auto integer = [&](int g, float factor) {
    const float q = nearestInteger(x[g] * factor);
    return q < 0 ? 0.0f : q < kMost ? q : static_cast<float>(kMost);
  };
  float best_factor = 0, least_error = 3e38f;
  constexpr int kSteps[] = {0, -4, -3, -2, -1, 1, 2, 3, 4};
  for (const int step : kSteps) {
    const float factor = (0.1f * static_cast<float>(step) + kMost) / largest, scale = 1 / factor;
    float error = 0;
    for (int g = 0; g < kGroups; g++) {
      const float e = x[g] - scale * integer(g, factor);
      error += counts[g] * e * e;
    }
    if (error < least_error) least_error = error, best_factor = factor;
  }
  float xq = 0, qq = 0;
  for (int g = 0; g < kGroups; g++) {
    const float q = integer(g, best_factor);
    found.integers.set(g, q);
    xq += counts[g] * x[g] * q;
    qq += counts[g] * q * q;
  }
  for (int round = 0; round < 5; round++) {
    bool has_changed = false;
    for (int g = 0; g < kGroups; g++) {
      const float old = found.integers[g], without_xq = xq - counts[g] * x[g] * old, without_qq = qq - counts[g] * old * old;
      if (!(without_xq > 0 && without_qq > 0)) continue;
      const float nearest = nearestInteger(x[g] * without_qq / without_xq), q = nearest < kMost ? nearest : static_cast<float>(kMost);
      if (q == old || q < 0) continue;
      const float with_xq = without_xq + counts[g] * x[g] * q, with_qq = without_qq + counts[g] * q * q;
      if (!(with_xq * with_xq * qq > xq * xq * with_qq)) continue;
      found.integers.set(g, q);
      xq = with_xq, qq = with_qq, has_changed = true;
    }
    if (!has_changed) break;
  }
  found.scale = qq > 0 ? xq / qq : 0;
  return found;
}

}  // namespace anneal::ANNEAL_ISA
