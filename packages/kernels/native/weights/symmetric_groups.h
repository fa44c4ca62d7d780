#pragma once

#include "groups.h"

// Q3_K and Q6_K: w = d · scale · q, with q from -kLevels to kLevels - 1 and a signed scale from -kScales to kScales - 1.

namespace anneal::ANNEAL_ISA {

template <int kLevels, int kScales>
struct SymmetricGroups {
  using G = Groups<16, Importance::square>;
  using Floats = G::Floats;

  const G groups;
  uint16_t d = 0;
  Floats scales{};       // integers
  Floats q[G::kLength];  // integers

  explicit SymmetricGroups(const float* x) : groups(x) {
    const Floats best = fitScales();
    float extreme = 0, size = 0;
    for (int g = 0; g < 16; g++) {
      const float magnitude = best[g] < 0 ? -best[g] : best[g];
      if (magnitude > size) size = magnitude, extreme = best[g];
    }
    float error = 3e38f;
    const auto consider = [&](float unit) {
      SymmetricGroups other = *this;
      const float other_error = other.chooseScales(best, halfOf(unit));
      const bool better = other_error < error;
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
  SymmetricGroups(const SymmetricGroups&) = default;
  SymmetricGroups& operator=(const SymmetricGroups& other) {
    d = other.d;
    scales = other.scales;
    for (int k = 0; k < G::kLength; k++) q[k] = other.q[k];
    return *this;
  }

 private:
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
    for (int step = -9; step <= 9; step++) {
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
