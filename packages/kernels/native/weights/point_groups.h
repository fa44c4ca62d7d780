#pragma once

#include "groups.h"
#include "iq3_tables.h"

// IQ3_XXS and IQ3_S: of each four weights signs and the number of a point of four magnitudes, w = ± d · (2 · scale + 1) · magnitude,
// with a scale of four bits for each 32 weights. The search is our own: ggml tries 31 scales for each group, each with the points that
// lie near, and keeps them when the scale is rounded; here a group's scale is found with the nearest point of each cell alone, and the
// points are chosen for the scale that is stored.

namespace anneal::ANNEAL_ISA {

/** 256 weights as 64 quads, of which eight are a group. A vector has one lane a group, as in groups.h. */
template <bool kIsXxs>
class PointGroups {
  static constexpr int kGroups = 8, kLength = 32;
  using Floats = Lanes<kGroups>;
  using Quad = Lanes<4>;
  using Candidates = Lanes<Iq3Table::kCandidates>;
  /** Of each group, of squared errors as they count: Σ weight · magnitude and Σ magnitude². */
  struct Sums {
    Floats xq, qq;
  };

 public:
  uint16_t d = 0;
  Floats scales{};  // integers
  uint16_t points[64] = {};
  uint8_t signs[32];  // of each 8 weights, the first in the lowest bit

  PointGroups(const Iq3Table& points_table, const float* weights, const float* importance) : table(points_table) {
    count(weights, importance);
    takeSigns(weights);
    for (int k = 0; k < kLength; k++) {
      for (int g = 0; g < kGroups; g++) {
        turned.x[k].set(g, x[g * kLength + k]);
        turned.counts[k].set(g, counts[g * kLength + k]);
      }
      turned.counted[k] = turned.counts[k] * turned.x[k];
    }
    const Floats fitted = fit();
    float largest = 0;
    for (int g = 0; g < kGroups; g++) largest = fitted[g] > largest ? fitted[g] : largest;
    if (!(largest > kNothing)) return;
    chooseScales(fitted, largest / 31);
    choosePoints();
  }

 private:
  static constexpr float kNothing = 1e-15f;

  const Iq3Table& table;
  /** Magnitudes, and what their squared errors count. */
  alignas(64) float x[256], counts[256];
  /** Number k of each group: both, and their products. */
  struct {
    Floats x[kLength], counts[kLength], counted[kLength];
  } turned;

  /** With importance as ggml has it; without, half of it ggml's own, the square of the weight, half all alike. */
  void count(const float* weights, const float* importance) {
    const float mean = sumOfSquares(weights, 256) / 256;
    for (int i = 0; i < 256; i++) {
      const float square = weights[i] * weights[i];
      counts[i] = importance ? importance[i] * __builtin_sqrtf(2 * mean + square) : square + mean;
    }
  }

  /** IQ3_XXS has room for an even number of minuses among 8 only: where it is odd, the weight that matters least gets the wrong sign. */
  void takeSigns(const float* weights) {
    for (int i = 0; i < 256; i++) x[i] = weights[i] < 0 ? -weights[i] : weights[i];
    for (int octet = 0; octet < 32; octet++) {
      int bits = 0;
      for (int i = 0; i < 8; i++) bits |= (weights[8 * octet + i] < 0) << i;
      if (kIsXxs && __builtin_parity(bits)) {
        int least = 8 * octet;
        for (int i = least + 1; i < 8 * octet + 8; i++)
          if (counts[i] * x[i] * x[i] < counts[least] * x[least] * x[least]) least = i;
        x[least] = -x[least];
        bits ^= 1 << least % 8;
      }
      signs[octet] = static_cast<uint8_t>(bits);
    }
  }

  static Floats inverseOf(const Floats& scale) {
    const auto isAny = scale > kNothing;
    return select(isAny, 1.0f / select(isAny, scale, 1.0f), 0.0f);
  }

  /** The cells of the quads from number k of each group on. */
  void cellsOf(int k, const Floats& inverse_scales, int* cells) const {
    Floats cell{};
    for (int i = 0; i < 4; i++) {
      const Floats digit = roundWithin((turned.x[k + i] * inverse_scales - 1.0f) * 0.5f, 0, 7);
      cell += digit * static_cast<float>(1 << 3 * i);
    }
    cell.storeIntegers(cells);
  }

  /** With the point that is nearest to each quad, divided by the scale of its group. */
  Sums sumsOf(const Floats& inverse_scales) const {
    Floats xq[4] = {}, qq[4] = {};
    for (int k = 0; k < kLength; k += 4) {
      int cells[kGroups];
      uint32_t nearest[kGroups];
      cellsOf(k, inverse_scales, cells);
      lookUp(table.nearest, cells, nearest);
      for (int i = 0; i < 4; i++) {
        const Floats q = Floats::loadBits(nearest, 5 * i, 5) * 0.5f;
        xq[i] += turned.counted[k + i] * q;
        qq[i] += turned.counts[k + i] * q * q;
      }
    }
    return {(xq[0] + xq[1]) + (xq[2] + xq[3]), (qq[0] + qq[1]) + (qq[2] + qq[3])};
  }

  /** Each group's scale by itself: the least squares of many roundings, of which the largest gain wins. */
  Floats fit() const {
    Floats largest{}, fitted{}, best{};
    for (const Floats& each : turned.x) largest = most(each, largest);
    const Floats inverse_largest = inverseOf(largest);
    for (int step = 0; step <= kSteps; step++) {
      const float end = (kIsXxs ? 12.0f : 13.0f) + (kIsXxs ? 6.0f : 4.0f) / kSteps * static_cast<float>(step);
      const auto [xq, qq] = sumsOf(inverse_largest * end);
      const auto better = (largest > kNothing) & (qq > 0.0f) & (xq > 0.0f) & (xq * xq > best * qq);
      fitted = select(better, xq / select(better, qq, 1.0f), fitted);
      best = select(better, fitted * xq, best);
    }
    return fitted;
  }

  /** The error of each group at its scale. */
  Floats errorsAt(const Floats& scale) const {
    Floats squares{};
    for (int k = 0; k < kLength; k++) squares += turned.counted[k] * turned.x[k];
    const auto [xq, qq] = sumsOf(inverseOf(scale));
    return squares + scale * (scale * qq - 2.0f * xq);
  }

  static float integerOf(float scale, float unit) {
    const int integer = static_cast<int>((scale / unit - 1) * 0.5f + 0.5f);
    return static_cast<float>(integer > 15 ? 15 : integer);
  }

  /** d, near the one with which the largest scale gets the last integer, and the integer of each group. */
  void chooseScales(const Floats& fitted, float unit) {
    constexpr float stretches[] = {1.0f, 1.035f, 0.97f};
    float least_sum = 3e38f;
    Floats errors{};
    for (const float stretch : stretches) {
      const uint16_t stored = halfOf(unit * stretch);
      const float exact = fromHalf(stored);
      if (!(exact > 0)) continue;
      Floats integers;
      for (int g = 0; g < kGroups; g++) integers.set(g, integerOf(fitted[g], exact));
      const Floats found = errorsAt(exact * (2.0f * integers + 1.0f));
      float sum = 0;
      for (int g = 0; g < kGroups; g++) sum += found[g];
      if (!(sum < least_sum)) continue;
      least_sum = sum, d = stored, scales = integers, errors = found;
    }
    const Floats middle = scales;
    for (int step = -1; step <= 1; step += 2) {
      const Floats integers = roundWithin(middle + static_cast<float>(step), 0, 15);
      const Floats found = errorsAt(fromHalf(d) * (2.0f * integers + 1.0f));
      const auto better = found < errors;
      scales = select(better, integers, scales);
      errors = select(better, found, errors);
    }
  }

  /** The points for the scales that are stored, and then the d that suits them best. */
  void choosePoints() {
    const Floats times = 2.0f * scales + 1.0f, stored = fromHalf(d) * times, inverse = inverseOf(stored);
    int cells[kGroups][kGroups];
    for (int k = 0; k < kGroups; k++) cellsOf(4 * k, inverse, cells[k]);
    Quad xq{}, qq{};
    for (int quad = 0; quad < 64; quad++) {
      const int group = quad / 8;
      points[quad] = pointNear(cells[quad % 8][group], quad, stored[group]);
      const Quad wanted = Quad::load(counts + 4 * quad), q = Quad::load(table.points[points[quad]]) * times[group];
      xq += wanted * Quad::load(x + 4 * quad) * q;
      qq += wanted * q * q;
    }
    if (total(qq) > 0 && total(xq) > 0) d = halfOf(total(xq) / total(qq));
  }

  static float total(const Quad& quad) { return (quad[0] + quad[1]) + (quad[2] + quad[3]); }

  /** Of the points that lie near, the one with the least error, the nearest to the cell of equals. */
  uint16_t pointNear(int cell, int quad, float scale) const {
    const uint32_t* near = table.near[cell];
    Candidates counted[4];
    for (int k = 0; k < 4; k++) {
      const Candidates e = x[4 * quad + k] - scale * 0.5f * Candidates::loadBits(near, 5 * k, 5);
      counted[k] = counts[4 * quad + k] * e * e;
    }
    float errors[Iq3Table::kCandidates];
    (counted[0] + counted[1] + (counted[2] + counted[3])).store(errors);
    Quad least_errors = Quad::load(errors), places{};
    for (int j = 4; j < Iq3Table::kCandidates; j += 4) {
      const Quad others = Quad::load(errors + j);
      places = select(others < least_errors, static_cast<float>(j), places);
      least_errors = least(others, least_errors);
    }
    int best = 0;
    for (int lane = 1; lane < 4; lane++) best = least_errors[lane] < least_errors[best] ? lane : best;
    return static_cast<uint16_t>(near[static_cast<int>(places[best]) + best] >> 20);
  }

  static constexpr int kSteps = 10;
};

/** d · 64 numbers of points · of each 32 weights four times seven signs, the eighth following from them, and the scale in four bits. */
inline void encodeIQ3_XXS(const Iq3Table& table, const float* x, const float* importance, uint8_t* block) {
  const PointGroups<true> found(table, x, importance);
  store16(block, found.d);
  for (int quad = 0; quad < 64; quad++) block[2 + quad] = static_cast<uint8_t>(found.points[quad]);
  for (int g = 0; g < 8; g++) {
    uint32_t packed = static_cast<uint32_t>(found.scales[g]) << 28;
    for (int i = 0; i < 4; i++) packed |= static_cast<uint32_t>(found.signs[4 * g + i] & 127) << 7 * i;
    std::memcpy(block + 66 + 4 * g, &packed, 4);
  }
}

/** d · the low 8 bits of 64 numbers of points · their ninth bits · 256 signs · 8 scales of four bits, low first. */
inline void encodeIQ3_S(const Iq3Table& table, const float* x, const float* importance, uint8_t* block) {
  const PointGroups<false> found(table, x, importance);
  std::memset(block, 0, 110);
  store16(block, found.d);
  for (int quad = 0; quad < 64; quad++) {
    block[2 + quad] = static_cast<uint8_t>(found.points[quad]);
    block[66 + quad / 8] |= static_cast<uint8_t>((found.points[quad] >> 8) << quad % 8);
  }
  std::memcpy(block + 74, found.signs, 32);
  for (int g = 0; g < 8; g++) block[106 + g / 2] |= static_cast<uint8_t>(static_cast<int>(found.scales[g]) << 4 * (g % 2));
}

}  // namespace anneal::ANNEAL_ISA
