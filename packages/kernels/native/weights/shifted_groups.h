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

  /** A rounding: q is the integer next to factor · (w + from). */
  struct Rounding {
    Floats factor, from;
    Floats operator()(const Floats& weight) const { return roundWithin(factor * (weight + from), 0, kLevels); }
  };

  // Both inlined: GCC would call them, and keep every vector in memory meanwhile.

  /** The scale and minimum of each group that suit its integers best; none for a group whose integers are all equal. */
  __attribute__((always_inline)) Line leastSquares(const Sums& sums, const Rounding& round, Floats* rounded) const {
    Floats q_sum{}, qq{}, wq{};
    for (int k = 0; k < kLength; k++) rounded[k] = round(weights[k]);
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k], u = rounded[k], vq = counts[k] * u;
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
    Floats rounded[kLength];
    const auto rounding = [&](float levels) { return Rounding{Floats(levels) / select(varies, high + minimum, 1.0f), minimum}; };
    Rounding best = rounding(kLevels);
    for (int k = 0; k < kLength; k++) rounded[k] = best(weights[k]);
    Floats best_error = countedError(scale, minimum, rounded);
    for (int step = 0; step < roundings.count; step++) {
      const Rounding round = rounding(roundings.first + roundings.step * static_cast<float>(step) + kLevels);
      const Line line = leastSquares(sums, round, rounded);
      const Floats error = countedError(line.scale, line.minimum, rounded);
      const auto better = (error < best_error) & line.isOne & varies;
      best = {select(better, round.factor, best.factor), select(better, round.from, best.from)};
      scale = select(better, line.scale, scale);
      minimum = select(better, line.minimum, minimum);
      best_error = select(better, error, best_error);
    }
    for (int k = 0; k < kLength; k++) q[k] = select(varies, best(weights[k]), Floats{});
  }

  __attribute__((always_inline)) Floats countedError(Floats slope, Floats offset, const Floats* rounded) const {
    Floats error{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k], e = slope * rounded[k] - offset - w;
      error += counts[k] * (kBySize ? most(e, -e) : e * e);
    }
    return error;
  }
};

/** What is stored of a block, in integers but for d and dmin, which are halves. */
struct ShiftedBlock {
  /** Row k, of each group weight k. */
  struct Rows {
    const int* first;
    int step;
    const int* operator[](int k) const { return first + k * step; }
  };

  uint16_t d, dmin;
  const int* scales;
  const int* minima;
  Rows q;
};

/** Up to kBlocks blocks. */
template <int kGroups, int kLevels, int kScales, bool kByImportance, int kBlocks>
struct ShiftedGroups {
  static constexpr bool isQ2 = kLevels == 3;
  using G = Groups<kGroups, isQ2 ? Count::magnitude : Count::magnitude_and_mean, isQ2 ? 1 : 2, kBlocks>;
  using Floats = typename G::Floats;
  /** As ggml counts without an importance matrix. */
  static constexpr bool kBySize = isQ2 && !kByImportance;
  static constexpr Roundings kRoundings = kByImportance  ? kRoundingsByImportance
                                          : kLevels == 15 ? Roundings{-1.0f, 0.1f, 21}
                                                          : Roundings{-0.5f, 0.1f, 16};

  /** @param importance of each weight's column; null unless kByImportance  @param count of blocks */
  ShiftedGroups(const float* x, const float* importance, int count) {
    const G groups(x, importance, count);
    ShiftedFit<Floats, G::kLength, kLevels, kBySize> fit(groups.weights, groups.counts, kRoundings);
    const Floats counts = kByImportance ? groups.countSums() : Floats{};
    const Stored scale = storedOf(fit.scale, counts), minimum = storedOf(fit.minimum, counts);
    for (int block = 0; block < kBlocks; block++) d[block] = scale.d[block], dmin[block] = minimum.d[block];
    scale.integers.storeIntegers(scales);
    minimum.integers.storeIntegers(minima);
    // Of all weights the nearest integers; where the scale of a group is 0, those of the fit.
    const Floats s = scale.integers * scale.units, m = minimum.integers * minimum.units;
    const auto isAny = s > 0.0f;
    const Floats divisor = select(isAny, s, 1.0f);
    for (int k = 0; k < G::kLength; k++) {
      const Floats nearest = roundWithin((groups.weights[k] + m) / divisor, 0, kLevels);
      select(isAny, nearest, fit.q[k]).storeIntegers(q[k]);
    }
  }

  ShiftedBlock block(int index) const {
    const int first = index * kGroups;
    return {d[index], dmin[index], scales + first, minima + first, {q[0] + first, G::kLanes}};
  }

 private:
  uint16_t d[kBlocks] = {}, dmin[kBlocks] = {};
  int scales[G::kLanes], minima[G::kLanes], q[G::kLength][G::kLanes];

  /** Of each group an integer times the unit of its block, a half. */
  struct Stored {
    uint16_t d[kBlocks];
    Floats units, integers;
  };

  static Stored storedOf(const Floats& x, const Floats& counts) {
    float values[G::kLanes], sums[G::kLanes], units[G::kLanes], integers[G::kLanes];
    x.store(values);
    counts.store(sums);
    Stored stored;
    for (int block = 0; block < kBlocks; block++) {
      const int first = block * kGroups;
      using One = Lanes<kGroups>;
      const auto common = kByImportance ? commonScale<kScales, kGroups>(One::load(values + first), One::load(sums + first))
                                        : largestIsLast(One::load(values + first));
      stored.d[block] = halfOf(common.scale);
      common.integers.store(integers + first);
      for (int g = first; g < first + kGroups; g++) units[g] = fromHalf(stored.d[block]);
    }
    stored.units = Floats::load(units);
    stored.integers = Floats::load(integers);
    return stored;
  }

  template <class One>
  static CommonScale<One> largestIsLast(const One& x) {
    float values[kGroups], largest = 0;
    x.store(values);
    for (const float each : values) largest = each > largest ? each : largest;
    return {largest / kScales, roundWithin(x * (largest > 0 ? kScales / largest : 0), 0, kScales)};
  }
};

}  // namespace anneal::ANNEAL_ISA
