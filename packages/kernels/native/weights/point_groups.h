#pragma once

#include "groups.h"
#include "iq3_tables.h"

// IQ3_XXS and IQ3_S: of each four weights signs and the number of a point of four magnitudes, w = ± d · (2 · scale + 1) · magnitude,
// with a scale of four bits for each 32 weights. The search is our own: ggml tries 31 scales for each group, each with the points that
// lie near, and keeps them when the scale is rounded; here a group's scale is found with the nearest point of each cell alone, and the
// points are chosen for the scale that is stored.

namespace anneal::ANNEAL_ISA {

/** Up to two blocks of 256 weights, each as 64 quads, of which eight are a group. A vector has one lane a group, as in groups.h. */
template <bool kIsXxs>
class PointGroups {
  static constexpr int kBlocks = 2, kGroups = 8 * kBlocks, kLength = 32;
  using Floats = Lanes<kGroups>;
  using Quad = Lanes<4>;
  using Candidates = Lanes<Iq3Table::kCandidates>;
  /** Of each group, of squared errors as they count: Σ weight · magnitude and Σ magnitude². */
  struct Sums {
    Floats xq, qq;
  };

 public:
  uint16_t d[kBlocks] = {};
  Floats scales{};  // integers
  uint16_t points[64 * kBlocks];
  uint8_t signs[32 * kBlocks];  // of each 8 weights, the first in the lowest bit

  /** @param blocks how many there are  @param importance of each weight's column, or null */
  PointGroups(const Iq3Table& points_table, const float* weights, const float* importance, int blocks) : table(points_table) {
    count(weights, importance, blocks);
    for (int i = 0; i < 256 * blocks; i++) x[i] = weights[i];
    for (int k = 0; k < kLength; k++) {
      turned.x[k] = turn(x + k);
      turned.counts[k] = turn(counts + k);
    }
    takeSigns();
    for (int k = 0; k < kLength; k++) {
      turned.counted[k] = turned.counts[k] * turned.x[k];
      turned.right[k] = most(turned.x[k], Floats{});
    }
    chooseScales(fit());
    choosePoints();
  }

 private:
  static constexpr float kNothing = 1e-15f;

  const Iq3Table& table;
  /** Magnitudes, and what their squared errors count; zeros of blocks that are not there. */
  alignas(64) float x[256 * kBlocks] = {}, counts[256 * kBlocks] = {};
  /** Number k of each group: both, their products, and magnitudes with zeros where the sign is wrong. */
  struct {
    Floats x[kLength], counts[kLength], counted[kLength], right[kLength];
  } turned;

  /** With importance as ggml has it; without, half of it ggml's own, the square of the weight, half all alike. */
  void count(const float* weights, const float* importance, int blocks) {
    float squares[kBlocks] = {};
    for (int i = 0; i < 256; i++)
      for (int block = 0; block < blocks; block++) squares[block] += weights[256 * block + i] * weights[256 * block + i];
    for (int block = 0; block < blocks; block++) {
      const int first = 256 * block;
      const float mean = squares[block] / 256;
      for (int i = first; i < first + 256; i++) {
        const float square = weights[i] * weights[i];
        counts[i] = importance ? importance[i] * __builtin_sqrtf(2 * mean + square) : square + mean;
      }
    }
  }

  static Floats turn(const float* numbers) {
    float lanes[kGroups];
    for (int g = 0; g < kGroups; g++) lanes[g] = numbers[g * kLength];
    return Floats::load(lanes);
  }

  /** IQ3_XXS has room for an even number of minuses among 8 only: where it is odd, the weight that matters least gets the wrong sign. */
  void takeSigns() {
    for (int first = 0; first < kLength; first += 8) {
      Floats minuses{}, wrong{}, least_loss(3.4e38f), bits{};
      for (int k = 0; kIsXxs && k < 8; k++) {
        const Floats w = turned.x[first + k], loss = turned.counts[first + k] * w * w;
        minuses += select(w < 0.0f, 1.0f, Floats{});
        wrong = select(loss < least_loss, static_cast<float>(k), wrong);
        least_loss = least(loss, least_loss);
      }
      const auto isOdd = minuses - 2.0f * nearestIntegers(minuses * 0.5f - 0.25f) > 0.0f;
      for (int k = 0; k < 8; k++) {
        const auto isWrong = isOdd & (wrong > static_cast<float>(k) - 0.5f) & (wrong < static_cast<float>(k) + 0.5f);
        Floats& w = turned.x[first + k];
        const Floats minus = select(w < 0.0f, 1.0f, Floats{}), magnitude = most(w, -w);
        w = select(isWrong, -magnitude, magnitude);
        bits += select(isWrong, 1.0f - minus, minus) * static_cast<float>(1 << k);
      }
      int integers[kGroups];
      bits.storeIntegers(integers);
      for (int g = 0; g < kGroups; g++) signs[4 * g + first / 8] = static_cast<uint8_t>(integers[g]);
    }
    for (int k = 0; k < kLength; k++)
      for (int g = 0; g < kGroups; g++) x[g * kLength + k] = turned.x[k][g];
  }

  static Floats inverseOf(const Floats& scale) {
    const auto isAny = scale > kNothing;
    return select(isAny, 1.0f / select(isAny, scale, 1.0f), 0.0f);
  }

  /** The cells of the quads from number k of each group on. */
  void cellsOf(int k, const Floats& half_inverse, int* cells) const {
    const auto digit = [&](int i) { return nearestIntegers(least(turned.right[k + i] * half_inverse - 0.5f, 7.0f)); };
    (((digit(3) * 8.0f + digit(2)) * 8.0f + digit(1)) * 8.0f + digit(0)).storeIntegers(cells);
  }

  /** With the point that is nearest to each quad, divided by the scale of its group. */
  Sums sumsOf(const Floats& inverse_scales) const {
    const Floats half_inverse = inverse_scales * 0.5f;
    Floats xq[4] = {}, qq[4] = {};
    for (int k = 0; k < kLength; k += 4) {
      int cells[kGroups];
      uint32_t nearest[kGroups];
      cellsOf(k, half_inverse, cells);
      lookUp(table.nearest, cells, nearest);
      for (int i = 0; i < 4; i++) {
        const Floats q = Floats::ofDigits(table.magnitudes, nearest, 3 * i);
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

  /** The error of each group at its scale. @param squares of its weights, as they count */
  Floats errorsAt(const Floats& scale, const Floats& squares) const {
    const auto [xq, qq] = sumsOf(inverseOf(scale));
    return squares + scale * (scale * qq - 2.0f * xq);
  }

  /** Of each group; 0 where there is no unit. */
  static Floats integersOf(const Floats& scale, const float* units) {
    float integers[kGroups];
    for (int g = 0; g < kGroups; g++) {
      const int integer = units[g] > 0 ? static_cast<int>((scale[g] / units[g] - 1) * 0.5f + 0.5f) : 0;
      integers[g] = static_cast<float>(integer > 15 ? 15 : integer);
    }
    return Floats::load(integers);
  }

  /** d of each block, near the one with which its largest scale gets the last integer, and the integer of each group. */
  void chooseScales(const Floats& fitted) {
    constexpr float stretches[] = {1.0f, 1.035f, 0.97f};
    float largest[kBlocks] = {}, least_sums[kBlocks];
    for (int g = 0; g < kGroups; g++) largest[g / 8] = fitted[g] > largest[g / 8] ? fitted[g] : largest[g / 8];
    for (float& sum : least_sums) sum = 3e38f;
    float units[kGroups] = {}, integers[kGroups] = {}, least_errors[kGroups] = {};
    Floats squares{};
    for (int k = 0; k < kLength; k++) squares += turned.counted[k] * turned.x[k];
    for (const float stretch : stretches) {
      float other_units[kGroups], errors[kGroups];
      for (int g = 0; g < kGroups; g++) other_units[g] = fromHalf(halfOf(largest[g / 8] / 31 * stretch));
      const Floats others = integersOf(fitted, other_units);
      errorsAt(Floats::load(other_units) * (2.0f * others + 1.0f), squares).store(errors);
      for (int block = 0; block < kBlocks; block++) {
        const int first = 8 * block;
        float sum = 0;
        for (int g = first; g < first + 8; g++) sum += errors[g];
        if (!(other_units[first] > 0 && sum < least_sums[block])) continue;
        least_sums[block] = sum;
        d[block] = halfOf(other_units[first]);
        for (int g = first; g < first + 8; g++) units[g] = other_units[g], integers[g] = others[g], least_errors[g] = errors[g];
      }
    }
    Floats errors = Floats::load(least_errors);
    const Floats middle = Floats::load(integers), unit = Floats::load(units);
    scales = middle;
    for (int step = -1; step <= 1; step += 2) {
      const Floats others = roundWithin(middle + static_cast<float>(step), 0, 15);
      const Floats found = errorsAt(unit * (2.0f * others + 1.0f), squares);
      const auto better = found < errors;
      scales = select(better, others, scales);
      errors = select(better, found, errors);
    }
  }

  /** The points for the scales that are stored, and then the d of each block that suits them best. */
  void choosePoints() {
    const Floats times = 2.0f * scales + 1.0f;
    float units[kGroups], factors[kGroups], stored[kGroups];
    for (int g = 0; g < kGroups; g++) units[g] = fromHalf(d[g / 8]);
    const Floats scale = Floats::load(units) * times, half_inverse = inverseOf(scale) * 0.5f;
    scale.store(stored);
    times.store(factors);
    int cells[8][kGroups];
    for (int k = 0; k < 8; k++) cellsOf(4 * k, half_inverse, cells[k]);
    for (int block = 0; block < kBlocks; block++) {
      Quad xq{}, qq{};
      float scaled[8];
      for (int quad = 64 * block; quad < 64 * block + 64; quad++) {
        const int group = quad / 8;
        for (int digit = 0; quad % 8 == 0 && digit < 8; digit++) scaled[digit] = stored[group] * table.magnitudes[digit];
        points[quad] = pointNear(cells[quad % 8][group], quad, scaled);
        const Quad wanted = Quad::load(counts + 4 * quad), q = Quad::load(table.points[points[quad]]) * factors[group];
        xq += wanted * Quad::load(x + 4 * quad) * q;
        qq += wanted * q * q;
      }
      if (total(qq) > 0 && total(xq) > 0) d[block] = halfOf(total(xq) / total(qq));
    }
  }

  static float total(const Quad& quad) { return (quad[0] + quad[1]) + (quad[2] + quad[3]); }

  /** Of the points that lie near, the one with the least error, the nearest to the cell of equals. @param scaled magnitudes by digit */
  uint16_t pointNear(int cell, int quad, const float* scaled) const {
    const uint32_t* near = table.near[cell];
    Candidates counted[4];
    for (int k = 0; k < 4; k++) {
      const Candidates e = x[4 * quad + k] - Candidates::ofDigits(scaled, near, 3 * k);
      counted[k] = counts[4 * quad + k] * e * e;
    }
    float errors[Iq3Table::kCandidates];
    (counted[0] + counted[1] + (counted[2] + counted[3])).store(errors);
    return static_cast<uint16_t>(near[firstLeast(errors)] >> Iq3Table::kNumber);
  }

  static constexpr int kSteps = 10;
};

/** d · 64 numbers of points · of each 32 weights four times seven signs, the eighth following from them, and the scale in four bits. */
inline void encodeIQ3_XXS(const Iq3Table& table, const float* x, const float* importance, int count, uint8_t* blocks) {
  const PointGroups<true> found(table, x, importance, count);
  for (int block = 0; block < count; block++, blocks += 98) {
    store16(blocks, found.d[block]);
    for (int quad = 0; quad < 64; quad++) blocks[2 + quad] = static_cast<uint8_t>(found.points[64 * block + quad]);
    for (int g = 8 * block; g < 8 * block + 8; g++) {
      uint32_t packed = static_cast<uint32_t>(found.scales[g]) << 28;
      for (int i = 0; i < 4; i++) packed |= static_cast<uint32_t>(found.signs[4 * g + i] & 127) << 7 * i;
      std::memcpy(blocks + 66 + 4 * (g % 8), &packed, 4);
    }
  }
}

/** d · the low 8 bits of 64 numbers of points · their ninth bits · 256 signs · 8 scales of four bits, low first. */
inline void encodeIQ3_S(const Iq3Table& table, const float* x, const float* importance, int count, uint8_t* blocks) {
  const PointGroups<false> found(table, x, importance, count);
  for (int block = 0; block < count; block++, blocks += 110) {
    std::memset(blocks, 0, 110);
    store16(blocks, found.d[block]);
    const uint16_t* points = found.points + 64 * block;
    for (int quad = 0; quad < 64; quad++) {
      blocks[2 + quad] = static_cast<uint8_t>(points[quad]);
      blocks[66 + quad / 8] |= static_cast<uint8_t>((points[quad] >> 8) << quad % 8);
    }
    std::memcpy(blocks + 74, found.signs + 32 * block, 32);
    for (int g = 0; g < 8; g++) blocks[106 + g / 2] |= static_cast<uint8_t>(static_cast<int>(found.scales[8 * block + g]) << 4 * (g % 2));
  }
}

}  // namespace anneal::ANNEAL_ISA
