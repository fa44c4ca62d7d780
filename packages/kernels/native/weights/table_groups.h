#pragma once

#include "groups.h"

// IQ4_NL and IQ4_XS: w = scale · value, with value one of 16 that lie closer to each other about 0. The search begins with ggml's own
// choice, each weight then by itself the nearest, and takes what errs less both plainly and as ggml counts it. With an importance matrix
// "plainly" is by the importance of each column.

namespace anneal::ANNEAL_ISA {

/** What is nearest by code: the values, as ggml has them, or the codes themselves. */
struct Iq4Choices {
  float by_code[16];
};
constexpr Iq4Choices kIq4Nearest = {{-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113}};
constexpr Iq4Choices kIq4Codes = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

constexpr float iq4Border(int code) { return (kIq4Nearest.by_code[code - 1] + kIq4Nearest.by_code[code]) / 2; }

#if defined(__AVX512F__)

/** Of the ranges from 8 r - 4 to 8 r + 4, with r from -16 to 15 in five bits, the border within, and what is chosen below and above. */
struct Iq4Ranges {
  float borders[32] = {}, below[32] = {}, above[32] = {};

  constexpr Iq4Ranges(const Iq4Choices& choices) {
    for (int range = 0; range < 32; range++) {
      const float middle = 8.0f * static_cast<float>(range < 16 ? range : range - 32);
      int code = 0;
      while (code < 15 && iq4Border(code + 1) < middle - 4) code++;
      const bool isParted = code < 15 && iq4Border(code + 1) < middle + 4;
      borders[range] = isParted ? iq4Border(code + 1) : 3e38f;
      below[range] = choices.by_code[code];
      above[range] = choices.by_code[isParted ? code + 1 : code];
    }
  }
};
static_assert(iq4Border(2) - iq4Border(1) > 8, "a range has one border at most");

/** What suits each weight, in units of the scale, best: the borders are as far apart as two looks into tables need. */
template <const Iq4Choices& choices, class Floats>
Floats nearestOf(const Floats& x) {
  static constexpr Iq4Ranges ranges(choices);
  const auto look = [](const float* table, __m512i range) {
    return _mm512_permutex2var_ps(_mm512_loadu_ps(table), range, _mm512_loadu_ps(table + 16));
  };
  return eachVector(x, [&](__m512 part) {
    const __m512 within = _mm512_min_ps(_mm512_max_ps(part, _mm512_set1_ps(-128)), _mm512_set1_ps(120));
    const __m512i range = _mm512_cvtps_epi32(_mm512_mul_ps(within, _mm512_set1_ps(0.125f)));
    const __mmask16 isAbove = _mm512_cmp_ps_mask(part, look(ranges.borders, range), _CMP_GT_OQ);
    return _mm512_mask_mov_ps(look(ranges.below, range), isAbove, look(ranges.above, range));
  });
}

#else

template <const Iq4Choices& choices, class Floats>
Floats nearestOf(const Floats& x) {
  Floats found(choices.by_code[0]);
  for (int code = 1; code < 16; code++) found = select(x > iq4Border(code), choices.by_code[code], found);
  return found;
}

#endif

/** 16 groups of 32 weights, one a lane. */
struct TableGroups {
  static constexpr int kLength = 32;
  using Floats = Lanes<16>;
  using Mask = Floats::Mask;

  /** Errors of each group: plainly, and as ggml counts: by the square of the weight, or importance · √(2 · mean square + w²). */
  struct Errors {
    Floats plain, counted;
  };

  /** weights[k][g] is weight k of group g; zeros from group `count` on. */
  Floats weights[kLength];
  /** What the squared error of each counts in either way. */
  Floats plain_counts[kLength], counts[kLength];

  /** @param importance of each weight's column, or null  @param together groups of a block, whose mean square is one */
  TableGroups(const float* x, const float* importance, int count, int together) {
    for (Floats& w : weights) w = Floats{};
    for (int g = 0; g < count; g++)
      for (int k = 0; k < kLength; k++) weights[k].set(g, x[g * kLength + k]);
    float spreads[16] = {};
    for (int g = 0; importance && g < count; g++) {
      const int length = together * kLength;
      spreads[g] = g % together ? spreads[g - 1] : sumOfSquares(x + g * kLength, length) * (2.0f / static_cast<float>(length));
    }
    const Floats spread = Floats::load(spreads);
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k];
      plain_counts[k] = importance ? Floats{} : Floats(1.0f);
      for (int g = 0; importance && g < count; g++) plain_counts[k].set(g, importance[g * kLength + k]);
      counts[k] = importance ? plain_counts[k] * root(spread + w * w, 16) : w * w;
    }
  }

  static Floats nearest(const Floats& x) { return nearestOf<kIq4Nearest>(x); }

  void codes(const Floats& scale, Floats* target) const {
    const Floats factor = inverseOrZero(scale);
    for (int k = 0; k < kLength; k++) target[k] = nearestOf<kIq4Codes>(weights[k] * factor);
  }

  Errors errors(const Floats& scale) const {
    const Floats factor = inverseOrZero(scale);
    Floats plain{}, counted{};
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k], e = w - scale * nearest(w * factor), square = e * e;
      plain += plain_counts[k] * square;
      counted += counts[k] * square;
    }
    return {plain, counted};
  }

  /** Of each group by itself the scale that ggml finds: the least squares of the roundings that bring its extreme near an end. */
  Floats fit() const {
    Floats extreme{}, size(1e-15f);
    for (const Floats& w : weights) {
      const Mask larger = most(w, -w) > size;
      size = select(larger, most(w, -w), size);
      extreme = select(larger, w, extreme);
    }
    const Mask isAny = most(extreme, -extreme) > 0.0f;
    const Floats divisor = select(isAny, extreme, 1.0f);
    Floats best{}, best_gain{};
    const auto consider = [&](float end) {
      const Floats factor = Floats(end) / divisor;
      Floats wq{}, qq{};
      for (int k = 0; k < kLength; k++) {
        const Floats w = weights[k], q = nearest(factor * w), vq = counts[k] * q;
        wq += vq * w;
        qq += vq * q;
      }
      const Mask better = (qq > 0.0f) & (wq * wq > best_gain * qq);
      const Floats scale = wq / select(qq > 0.0f, qq, 1.0f);
      best = select(better, scale, best);
      best_gain = select(better, scale * wq, best_gain);
    };
    consider(-kIq4Nearest.by_code[0]);
    for (int step = -7; step <= 7; step++) consider(kIq4Nearest.by_code[0] + static_cast<float>(step));
    return select(isAny, best, 0.0f);
  }

  /** The scale that suits the codes of `scale` best, where half of an error's importance is ggml's count of it. */
  Floats refit(const Floats& scale) const {
    const Floats factor = inverseOrZero(scale);
    Floats all{}, all_plain{}, wq{}, qq{};
    for (int k = 0; k < kLength; k++) all += counts[k], all_plain += plain_counts[k];
    const Floats balance = inverseOrZero(all * (1.0f / kLength)) * (all_plain * (1.0f / kLength));
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k], q = nearest(w * factor), vq = (counts[k] * balance + plain_counts[k]) * q;
      wq += vq * w;
      qq += vq * q;
    }
    return wq / select(qq > 0.0f, qq, 1.0f);
  }
};

/** Both less, group by group. */
inline TableGroups::Mask isLess(const TableGroups::Errors& a, const TableGroups::Errors& b) {
  return (a.plain < b.plain) & (a.counted < b.counted);
}

/** Of 16 groups the nibbles in bytes: low the first 16 weights, high the rest. */
struct TableNibbles {
  int bytes[16][16];

  explicit TableNibbles(const TableGroups::Floats* codes) {
    for (int k = 0; k < 16; k++) (codes[k] + codes[k + 16] * 16.0f).storeIntegers(bytes[k]);
  }
  void store(int g, uint8_t* target) const {
    for (int k = 0; k < 16; k++) target[k] = static_cast<uint8_t>(bytes[k][g]);
  }
};

/** Up to 16 blocks of 32 weights: half scale d · 16 bytes of nibbles. */
inline void encodeIQ4_NL(const float* x, const float* importance, int count, uint8_t* blocks) {
  using Floats = TableGroups::Floats;
  const TableGroups groups(x, importance, count, 1);
  const auto rounded = [](const Floats& scale) {
    float halves[16];
    scale.store(halves);
    for (float& each : halves) each = fromHalf(halfOf(each));
    return Floats::load(halves);
  };
  Floats scale = rounded(groups.fit());
  TableGroups::Errors least_errors = groups.errors(scale);
  for (int round = 0; round < 2; round++) {
    const Floats other = rounded(groups.refit(scale));
    const TableGroups::Errors errors = groups.errors(other);
    const auto better = isLess(errors, least_errors);
    scale = select(better, other, scale);
    least_errors = {select(better, errors.plain, least_errors.plain), select(better, errors.counted, least_errors.counted)};
  }
  Floats codes[TableGroups::kLength];
  groups.codes(scale, codes);
  const TableNibbles nibbles(codes);
  for (int g = 0; g < count; g++, blocks += 18) {
    store16(blocks, halfOf(scale[g]));
    nibbles.store(g, blocks + 2);
  }
}

/** For the groups of two blocks of 256 weights what each block has. */
inline TableGroups::Floats ofBlocks(float first, float second) {
  float lanes[16];
  for (int g = 0; g < 16; g++) lanes[g] = g < 8 ? first : second;
  return TableGroups::Floats::load(lanes);
}

/** Scales of the groups of one or two blocks of 256 weights: d of each block times an integer from -32 to 31. */
struct TableScales {
  using Floats = TableGroups::Floats;

  uint16_t d[2] = {};
  Floats units{}, integers{};

  /** @param wanted for each group  @param ends for each block, the scale that the integer -32 stands for */
  TableScales(const Floats& wanted, const float* ends) {
    const float exact[2] = {ends[0] / -32.0f, ends[1] / -32.0f};
    for (int block = 0; block < 2; block++) d[block] = halfOf(exact[block]);
    units = ofBlocks(fromHalf(d[0]), fromHalf(d[1]));
    // As ggml, by d before it is rounded.
    integers = roundWithin(wanted * inverseOrZero(ofBlocks(exact[0], exact[1])), -32, 31);
  }
  Floats scales() const { return units * integers; }
};

/** Of the groups of each of two blocks the sum. */
struct BlockSums {
  float of[2] = {};

  explicit BlockSums(const TableGroups::Floats& errors) {
    float lanes[16];
    errors.store(lanes);
    for (int g = 0; g < 8; g++) of[0] += lanes[g], of[1] += lanes[8 + g];
  }
};

/** Up to two blocks of 256 weights: half d · upper two bits of 8 scales · their lower nibbles · 128 bytes of nibbles. */
inline void encodeIQ4_XS(const float* x, const float* importance, int count, uint8_t* blocks) {
  using Floats = TableGroups::Floats;
  const TableGroups groups(x, importance, 8 * count, 8);
  const Floats fitted = groups.fit();
  float wanted[16], ends[2] = {}, sizes[2] = {};
  fitted.store(wanted);
  for (int g = 0; g < 16; g++) {
    const float size = wanted[g] < 0 ? -wanted[g] : wanted[g];
    if (size > sizes[g >> 3]) sizes[g >> 3] = size, ends[g >> 3] = wanted[g];
  }
  TableScales chosen(fitted, ends);
  TableGroups::Errors errors = groups.errors(chosen.scales());
  // Which d suits the small scales is luck: some near the one that spans the range, of either sign.
  const float stretches[] = {32.0f / 31.0f, 32.0f / 30.3f, -32.0f / 31.0f};
  for (const float stretch : stretches) {
    const float others[2] = {ends[0] * stretch, ends[1] * stretch};
    const TableScales other(fitted, others);
    const TableGroups::Errors other_errors = groups.errors(other.scales());
    const BlockSums plain(errors.plain), counted(errors.counted), other_plain(other_errors.plain), other_counted(other_errors.counted);
    float is_better[2];
    for (int block = 0; block < 2; block++) {
      const bool better = other_plain.of[block] < plain.of[block] && other_counted.of[block] < counted.of[block];
      is_better[block] = better ? 1.0f : 0.0f;
      if (better) chosen.d[block] = other.d[block];
    }
    const auto better = ofBlocks(is_better[0], is_better[1]) > 0.0f;
    chosen.units = select(better, other.units, chosen.units);
    chosen.integers = select(better, other.integers, chosen.integers);
    errors = {select(better, other_errors.plain, errors.plain), select(better, other_errors.counted, errors.counted)};
  }
  const Floats middle = chosen.integers;
  for (int step = -1; step <= 1; step += 2) {
    const Floats integers = roundWithin(middle + static_cast<float>(step), -32, 31);
    const TableGroups::Errors other_errors = groups.errors(chosen.units * integers);
    const auto better = isLess(other_errors, errors);
    chosen.integers = select(better, integers, chosen.integers);
    errors = {select(better, other_errors.plain, errors.plain), select(better, other_errors.counted, errors.counted)};
  }
  Floats codes[TableGroups::kLength];
  groups.codes(chosen.scales(), codes);
  const TableNibbles nibbles(codes);
  int integers[16];
  chosen.integers.storeIntegers(integers);
  for (int block = 0; block < count; block++, blocks += 136) {
    store16(blocks, chosen.d[block]);
    uint32_t upper_bits = 0;
    std::memset(blocks + 4, 0, 4);
    for (int g = 0; g < 8; g++) {
      const int scale = integers[8 * block + g] + 32;
      blocks[4 + (g >> 1)] |= static_cast<uint8_t>((scale & 15) << 4 * (g & 1));
      upper_bits |= static_cast<uint32_t>(scale >> 4) << 2 * g;
      nibbles.store(8 * block + g, blocks + 8 + 16 * g);
    }
    store16(blocks + 2, static_cast<uint16_t>(upper_bits));
  }
}

}  // namespace anneal::ANNEAL_ISA
