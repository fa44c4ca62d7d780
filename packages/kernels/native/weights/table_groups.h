#pragma once

#include "groups.h"

// IQ4_NL and IQ4_XS: w = scale · value, with value one of 16 that lie closer to each other about 0. The search begins with ggml's own
// choice, each weight then by itself the nearest, and takes what errs less both plainly and as ggml counts it. With an importance matrix
// "plainly" is by the importance of each column.

namespace anneal::ANNEAL_ISA {

/** As ggml has them. */
constexpr float kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

constexpr float iq4Border(int code) { return (kIq4Values[code - 1] + kIq4Values[code]) / 2; }

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
    Floats spread{};
    for (int g = 0; importance && g < count; g++) {
      const int length = together * kLength;
      spread.set(g, sumOfSquares(x + g / together * length, length) * (2.0f / static_cast<float>(length)));
    }
    for (int k = 0; k < kLength; k++) {
      const Floats w = weights[k];
      plain_counts[k] = importance ? Floats{} : Floats(1.0f);
      for (int g = 0; importance && g < count; g++) plain_counts[k].set(g, importance[g * kLength + k]);
      counts[k] = importance ? plain_counts[k] * root(spread + w * w, 16) : w * w;
    }
  }

  static Floats nearest(const Floats& x) {
    Floats found(kIq4Values[0]);
    for (int code = 1; code < 16; code++) found = select(x > iq4Border(code), kIq4Values[code], found);
    return found;
  }

  void codes(const Floats& scale, Floats* target) const {
    const Floats factor = inverseOrZero(scale);
    for (int k = 0; k < kLength; k++) {
      const Floats x = weights[k] * factor;
      Floats code{};
      for (int next = 1; next < 16; next++) code = select(x > iq4Border(next), static_cast<float>(next), code);
      target[k] = code;
    }
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
    consider(-kIq4Values[0]);
    for (int step = -7; step <= 7; step++) consider(kIq4Values[0] + static_cast<float>(step));
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

/** The nibbles of group g: low the first 16 weights, high the rest. */
inline void storeTableCodes(const TableGroups::Floats* codes, int g, uint8_t* target) {
  for (int k = 0; k < 16; k++)
    target[k] = static_cast<uint8_t>(static_cast<int>(codes[k][g]) | static_cast<int>(codes[k + 16][g]) << 4);
}

/** Up to 16 blocks of 32 weights: half scale d · 16 bytes of nibbles. */
inline void encodeIQ4_NL(const float* x, const float* importance, int count, uint8_t* blocks) {
  using Floats = TableGroups::Floats;
  const TableGroups groups(x, importance, count, 1);
  const auto rounded = [](Floats scale) {
    for (int g = 0; g < 16; g++) scale.set(g, fromHalf(halfOf(scale[g])));
    return scale;
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
  for (int g = 0; g < count; g++, blocks += 18) {
    store16(blocks, halfOf(scale[g]));
    storeTableCodes(codes, g, blocks + 2);
  }
}

/** Scales of the groups of one or two blocks of 256 weights: d of each block times an integer from -32 to 31. */
struct TableScales {
  using Floats = TableGroups::Floats;

  uint16_t d[2] = {};
  Floats units{}, integers{};

  /** @param wanted for each group  @param ends for each block, the scale that the integer -32 stands for */
  TableScales(const Floats& wanted, const float* ends) {
    Floats exact{};
    for (int g = 0; g < 16; g++) {
      exact.set(g, ends[g >> 3] / -32.0f);
      d[g >> 3] = halfOf(exact[g]);
      units.set(g, fromHalf(d[g >> 3]));
    }
    integers = roundWithin(wanted * inverseOrZero(exact), -32, 31);  // as ggml, by d before it is rounded
  }
  Floats scales() const { return units * integers; }
};

/** Up to two blocks of 256 weights: half d · upper two bits of 8 scales · their lower nibbles · 128 bytes of nibbles. */
inline void encodeIQ4_XS(const float* x, const float* importance, int count, uint8_t* blocks) {
  using Floats = TableGroups::Floats;
  const TableGroups groups(x, importance, 8 * count, 8);
  const Floats wanted = groups.fit();
  float ends[2] = {}, sizes[2] = {};
  for (int g = 0; g < 16; g++) {
    const float size = wanted[g] < 0 ? -wanted[g] : wanted[g];
    if (size > sizes[g >> 3]) sizes[g >> 3] = size, ends[g >> 3] = wanted[g];
  }
  TableScales chosen(wanted, ends);
  TableGroups::Errors errors = groups.errors(chosen.scales());
  const auto sum = [](const Floats& lanes, int block) {
    float total = 0;
    for (int g = 8 * block; g < 8 * block + 8; g++) total += lanes[g];
    return total;
  };
  // Which d suits the small scales is luck: some near the one that spans the range, of either sign.
  const float stretches[] = {32.0f / 31.0f, 32.0f / 30.3f, -32.0f / 31.0f};
  for (const float stretch : stretches) {
    const float others[2] = {ends[0] * stretch, ends[1] * stretch};
    const TableScales other(wanted, others);
    const TableGroups::Errors other_errors = groups.errors(other.scales());
    for (int block = 0; block < 2; block++) {
      const bool better = sum(other_errors.plain, block) < sum(errors.plain, block) && sum(other_errors.counted, block) < sum(errors.counted, block);
      if (!better) continue;
      chosen.d[block] = other.d[block];
      for (int g = 8 * block; g < 8 * block + 8; g++) {
        chosen.units.set(g, other.units[g]);
        chosen.integers.set(g, other.integers[g]);
        errors.plain.set(g, other_errors.plain[g]);
        errors.counted.set(g, other_errors.counted[g]);
      }
    }
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
  for (int block = 0; block < count; block++, blocks += 136) {
    store16(blocks, chosen.d[block]);
    uint32_t upper_bits = 0;
    std::memset(blocks + 4, 0, 4);
    for (int g = 0; g < 8; g++) {
      const int scale = static_cast<int>(chosen.integers[8 * block + g]) + 32;
      blocks[4 + (g >> 1)] |= static_cast<uint8_t>((scale & 15) << 4 * (g & 1));
      upper_bits |= static_cast<uint32_t>(scale >> 4) << 2 * g;
      storeTableCodes(codes, 8 * block + g, blocks + 8 + 16 * g);
    }
    store16(blocks + 2, static_cast<uint16_t>(upper_bits));
  }
}

}  // namespace anneal::ANNEAL_ISA
