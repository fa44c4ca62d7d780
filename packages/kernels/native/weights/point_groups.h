#pragma once

#include "groups.h"
#include "iq3_tables.h"

// IQ3_XXS and IQ3_S: of each four weights signs and the number of a point of four magnitudes, w = ± d · (2 · scale + 1) · magnitude,
// with a scale of four bits for each 32 weights. The search is our own: ggml tries 31 scales for each group, each with the points that
// lie near, and keeps them when the scale is rounded; here a group's scale is found with the nearest point of each cell alone, and the
// points are chosen for the scale that is stored.

namespace anneal::ANNEAL_ISA {

/** 256 weights as 64 quads, of which eight are a group. */
template <bool kIsXxs>
class PointGroups {
  static constexpr int kGroups = 8;
  /** Of each group, of squared errors as they count: Σ weight · magnitude and Σ magnitude². */
  struct Sums {
    float xq[kGroups] = {}, qq[kGroups] = {};
  };
  using Quads = Lanes<16>;
  using Quad = Lanes<4>;

 public:
  uint16_t d = 0;
  int scales[kGroups] = {};
  uint16_t points[64] = {};
  uint8_t signs[32];  // of each 8 weights, the first in the lowest bit

  PointGroups(const Iq3Table& points_table, const float* weights, const float* importance) : table(points_table) {
    count(weights, importance);
    takeSigns(weights);
    for (int i = 0; i < 256; i++) {
      counted[i] = counts[i] * x[i];
      turned[64 * (i % 4) + i / 4] = x[i];
      squares[i / 32] += counted[i] * x[i];
    }
    float fitted[kGroups], largest = 0;
    fit(fitted);
    for (const float scale : fitted) largest = scale > largest ? scale : largest;
    if (!(largest > kNothing)) return;
    chooseScales(fitted, largest / 31);
    const float unit = fromHalf(d);
    Quad xq{}, qq{};
    for (int quad = 0; quad < 64; quad++) choosePoint(quad, unit, xq, qq);
    if (total(qq) > 0 && total(xq) > 0) d = halfOf(total(xq) / total(qq));
  }

 private:
  static constexpr float kNothing = 1e-15f;

  const Iq3Table& table;
  /** Magnitudes, what their squared errors count, and the products of both. */
  alignas(64) float x[256], counts[256], counted[256];
  /** The first magnitudes of all quads, then the second, and so on. */
  alignas(64) float turned[256];
  float squares[kGroups] = {};

  static float total(const Quad& quad) { return (quad[0] + quad[1]) + (quad[2] + quad[3]); }

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
    for (int octet = 0; octet < 32; octet++) {
      int minuses = 0, bits = 0, least = 8 * octet;
      for (int i = 8 * octet; i < 8 * octet + 8; i++) {
        const bool is_minus = weights[i] < 0;
        x[i] = is_minus ? -weights[i] : weights[i];
        bits |= is_minus << i % 8;
        minuses += is_minus;
        if (counts[i] * x[i] * x[i] < counts[least] * x[least] * x[least]) least = i;
      }
      if (kIsXxs && minuses % 2 == 1) {
        x[least] = -x[least];
        bits ^= 1 << least % 8;
      }
      signs[octet] = static_cast<uint8_t>(bits);
    }
  }

  static Quads digits(const Quads& magnitudes, const Quads& factor) { return roundWithin((magnitudes * factor - 1.0f) * 0.5f, 0, 7); }

  /** With the point that is nearest to each quad, divided by the scale of its group. */
  Sums sumsOf(const float* inverse_scales) const {
    alignas(64) float cells[64];
    for (int quad = 0; quad < 64; quad += 16) {
      float factors[16];
      for (int lane = 0; lane < 16; lane++) factors[lane] = inverse_scales[(quad + lane) / 8];
      const Quads factor = Quads::load(factors);
      Quads cell = digits(Quads::load(turned + quad), factor);
      for (int k = 1; k < 4; k++) cell += digits(Quads::load(turned + 64 * k + quad), factor) * static_cast<float>(1 << 3 * k);
      cell.store(cells + quad);
    }
    Sums sums;
    for (int g = 0; g < kGroups; g++) {
      Quad xq{}, qq{};
      for (int quad = 8 * g; quad < 8 * g + 8; quad++) {
        const Quad q = Quad::load(table.points[table.nearest[static_cast<int>(cells[quad])]]);
        xq += Quad::load(counted + 4 * quad) * q;
        qq += Quad::load(counts + 4 * quad) * q * q;
      }
      sums.xq[g] = total(xq), sums.qq[g] = total(qq);
    }
    return sums;
  }

  /** Each group's scale by itself: the least squares of many roundings, of which the largest gain wins. */
  void fit(float* fitted) const {
    float inverse_largest[kGroups], best[kGroups] = {};
    for (int g = 0; g < kGroups; g++) {
      float largest = 0;
      for (int i = 32 * g; i < 32 * g + 32; i++) largest = x[i] > largest ? x[i] : largest;
      inverse_largest[g] = largest > kNothing ? 1 / largest : 0;
      fitted[g] = 0;
    }
    for (int step = 0; step <= kSteps; step++) {
      const float end = (kIsXxs ? 12.0f : 13.0f) + (kIsXxs ? 6.0f : 4.0f) / kSteps * static_cast<float>(step);
      float inverse[kGroups];
      for (int g = 0; g < kGroups; g++) inverse[g] = inverse_largest[g] * end;
      const Sums sums = sumsOf(inverse);
      for (int g = 0; g < kGroups; g++) {
        const float xq = sums.xq[g], qq = sums.qq[g];
        if (inverse_largest[g] == 0 || !(qq > 0 && xq > 0 && xq * xq > best[g] * qq)) continue;
        fitted[g] = xq / qq;
        best[g] = fitted[g] * xq;
      }
    }
  }

  /** The error of each group at its scale. */
  void errorsAt(const float* at, float* errors) const {
    float inverse[kGroups];
    for (int g = 0; g < kGroups; g++) inverse[g] = at[g] > kNothing ? 1 / at[g] : 0;
    const Sums sums = sumsOf(inverse);
    for (int g = 0; g < kGroups; g++) errors[g] = squares[g] + at[g] * (at[g] * sums.qq[g] - 2 * sums.xq[g]);
  }

  static int within(int integer) { return integer < 0 ? 0 : integer > 15 ? 15 : integer; }

  static int integerOf(float scale, float unit) { return within(static_cast<int>((scale / unit - 1) * 0.5f + 0.5f)); }

  /** d, near the one with which the largest scale gets the last integer, and the integer of each group. */
  void chooseScales(const float* fitted, float unit) {
    constexpr float stretches[] = {1.0f, 1.035f, 0.97f};
    float least = 3e38f, errors[kGroups] = {}, at[kGroups], found[kGroups];
    int integers[kGroups];
    for (const float stretch : stretches) {
      const uint16_t stored = halfOf(unit * stretch);
      const float exact = fromHalf(stored);
      if (!(exact > 0)) continue;
      for (int g = 0; g < kGroups; g++) integers[g] = integerOf(fitted[g], exact), at[g] = exact * static_cast<float>(2 * integers[g] + 1);
      errorsAt(at, found);
      float sum = 0;
      for (const float error : found) sum += error;
      if (!(sum < least)) continue;
      least = sum, d = stored;
      for (int g = 0; g < kGroups; g++) scales[g] = integers[g], errors[g] = found[g];
    }
    int middle[kGroups];
    for (int g = 0; g < kGroups; g++) middle[g] = scales[g];
    for (int step = -1; step <= 1; step += 2) {
      for (int g = 0; g < kGroups; g++) integers[g] = within(middle[g] + step), at[g] = fromHalf(d) * static_cast<float>(2 * integers[g] + 1);
      errorsAt(at, found);
      for (int g = 0; g < kGroups; g++)
        if (found[g] < errors[g]) scales[g] = integers[g], errors[g] = found[g];
    }
  }

  /** Of the points that lie near, the one with the least error at the scale that is stored. */
  void choosePoint(int quad, float unit, Quad& xq, Quad& qq) {
    const float times = static_cast<float>(2 * scales[quad / 8] + 1), scale = unit * times;
    const float factor = scale > kNothing ? 1 / scale : 0;
    const Quad from = Quad::load(x + 4 * quad), wanted = Quad::load(counts + 4 * quad);
    const Quad place = roundWithin((from * factor - 1.0f) * 0.5f, 0, 7);
    int cell = 0;
    for (int k = 0; k < 4; k++) cell |= static_cast<int>(place[k]) << 3 * k;
    const auto& near = table.doubled[cell];
    const float half = scale * 0.5f, x0 = from[0], x1 = from[1], x2 = from[2], x3 = from[3];
    const float c0 = wanted[0], c1 = wanted[1], c2 = wanted[2], c3 = wanted[3];
    float errors[Iq3Table::kCandidates];
    for (int j = 0; j < Iq3Table::kCandidates; j++) {
      const float e0 = x0 - half * static_cast<float>(near[0][j]), e1 = x1 - half * static_cast<float>(near[1][j]);
      const float e2 = x2 - half * static_cast<float>(near[2][j]), e3 = x3 - half * static_cast<float>(near[3][j]);
      errors[j] = c0 * e0 * e0 + c1 * e1 * e1 + (c2 * e2 * e2 + c3 * e3 * e3);
    }
    int best = 0;
    for (int j = 1; j < Iq3Table::kCandidates; j++) best = errors[j] < errors[best] ? j : best;
    points[quad] = table.candidates[cell][best];
    const Quad q = Quad::load(table.points[points[quad]]) * times;
    xq += wanted * from * q;
    qq += wanted * q * q;
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
  for (int g = 0; g < 8; g++) block[106 + g / 2] |= static_cast<uint8_t>(found.scales[g] << 4 * (g % 2));
}

}  // namespace anneal::ANNEAL_ISA
