#pragma once

// The NEON part of simd.h, which includes it. Rests are read and written lane by lane: a loop becomes a call of memcpy, which keeps
// GCC from holding 24 sums in registers.

#include <arm_neon.h>

namespace anneal::ANNEAL_ISA {

constexpr int kVectorRegisters = 32;

struct Vec {
  static constexpr int width = 4;
  float32x4_t lanes;

  static Vec set(float value) { return {vdupq_n_f32(value)}; }
  static Vec zero() { return set(0.0f); }
  static Vec load(const float* from) { return {vld1q_f32(from)}; }
  /** The first `count` (0…width) lanes; zero in the others, whose memory is not touched. */
  static Vec load(const float* from, int count) {
    if (count == width) return load(from);
    Vec result = zero();
    if (count > 0) result.lanes = vld1q_lane_f32(from, result.lanes, 0);
    if (count > 1) result.lanes = vld1q_lane_f32(from + 1, result.lanes, 1);
    if (count > 2) result.lanes = vld1q_lane_f32(from + 2, result.lanes, 2);
    return result;
  }
  static Vec loadBf16(const uint16_t* from) { return widen(vld1_u16(from)); }
  static Vec loadBf16(const uint16_t* from, int count) { return widen(loadHalves(from, count)); }
  static uint16x4_t loadHalves(const uint16_t* from, int count) {
    if (count == width) return vld1_u16(from);
    uint16x4_t halves = vdup_n_u16(0);
    if (count > 0) halves = vld1_lane_u16(from, halves, 0);
    if (count > 1) halves = vld1_lane_u16(from + 1, halves, 1);
    if (count > 2) halves = vld1_lane_u16(from + 2, halves, 2);
    return halves;
  }

  void store(float* to) const { vst1q_f32(to, lanes); }
  void store(float* to, int count) const {
    if (count == width) return store(to);
    if (count > 0) vst1q_lane_f32(to, lanes, 0);
    if (count > 1) vst1q_lane_f32(to + 1, lanes, 1);
    if (count > 2) vst1q_lane_f32(to + 2, lanes, 2);
  }
  /** The first half of the lanes to `low`, the second to `high`. */
  void storeHalves(float* low, float* high) const {
    vst1_f32(low, vget_low_f32(lanes));
    vst1_f32(high, vget_high_f32(lanes));
  }
  void storeBf16(uint16_t* to) const { vst1_u16(to, narrow()); }
  void storeBf16(uint16_t* to, int count) const {
    if (count == width) return storeBf16(to);
    const uint16x4_t halves = narrow();
    if (count > 0) vst1_lane_u16(to, halves, 0);
    if (count > 1) vst1_lane_u16(to + 1, halves, 1);
    if (count > 2) vst1_lane_u16(to + 2, halves, 2);
  }

  static Vec widen(uint16x4_t bf16) { return {vreinterpretq_f32_u32(vshll_n_u16(bf16, 16))}; }

  /** Rounds like toBf16. */
  uint16x4_t narrow() const {
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
    return vreinterpret_u16_bf16(vcvt_bf16_f32(lanes));
#else
    const uint32x4_t bits = vreinterpretq_u32_f32(lanes);
    const uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    const uint32x4_t rounded = vaddq_u32(vaddq_u32(bits, odd), vdupq_n_u32(0x7fff));
    const uint32x4_t quiet = vorrq_u32(bits, vdupq_n_u32(0x400000));
    return vshrn_n_u32(vbslq_u32(vceqq_f32(lanes, lanes), rounded, quiet), 16);
#endif
  }
};

inline Vec operator+(Vec a, Vec b) { return {vaddq_f32(a.lanes, b.lanes)}; }
inline Vec operator-(Vec a, Vec b) { return {vsubq_f32(a.lanes, b.lanes)}; }
inline Vec operator*(Vec a, Vec b) { return {vmulq_f32(a.lanes, b.lanes)}; }
inline Vec operator/(Vec a, Vec b) { return {vdivq_f32(a.lanes, b.lanes)}; }

/** a · b + c, rounded once. */
inline Vec fma(Vec a, Vec b, Vec c) { return {vfmaq_f32(c.lanes, a.lanes, b.lanes)}; }
/** b where either is NaN, unlike the instruction. */
inline Vec max(Vec a, Vec b) { return {vbslq_f32(vcgtq_f32(a.lanes, b.lanes), a.lanes, b.lanes)}; }
inline Vec min(Vec a, Vec b) { return {vbslq_f32(vcltq_f32(a.lanes, b.lanes), a.lanes, b.lanes)}; }
inline Vec abs(Vec a) { return {vabsq_f32(a.lanes)}; }
/** value, or 0 where x > limit. */
inline Vec zeroAbove(Vec value, Vec x, Vec limit) {
  return {vreinterpretq_f32_u32(vbicq_u32(vreinterpretq_u32_f32(value.lanes), vcgtq_f32(x.lanes, limit.lanes)))};
}
inline Vec sqrt(Vec a) { return {vsqrtq_f32(a.lanes)}; }
inline Vec round(Vec a) { return {vrndnq_f32(a.lanes)}; }

/** a · 2^n for integral n in [-252, 254], in two factors so that denormal results and infinity come out right. */
inline Vec scaleByPowerOfTwo(Vec a, Vec n) {
  const int32x4_t whole = vcvtq_s32_f32(n.lanes), half = vshrq_n_s32(whole, 1), bias = vdupq_n_s32(127);
  const int32x4_t first = vshlq_n_s32(vaddq_s32(half, bias), 23);
  const int32x4_t second = vshlq_n_s32(vaddq_s32(vsubq_s32(whole, half), bias), 23);
  return {vmulq_f32(vmulq_f32(a.lanes, vreinterpretq_f32_s32(first)), vreinterpretq_f32_s32(second))};
}

/** Rounds every lane to a bf16 value. */
inline Vec roundToBf16(Vec a) { return Vec::widen(a.narrow()); }

/** The sum of all lanes, always in one order. */
inline float sum(Vec a) { return vaddv_f32(vadd_f32(vget_low_f32(a.lanes), vget_high_f32(a.lanes))); }

/** Lane i is the sum of vector i, added in the order of sum(). */
inline Vec sumEach(Vec a, Vec b, Vec c, Vec d) {
  const float32x2_t a2 = vadd_f32(vget_low_f32(a.lanes), vget_high_f32(a.lanes));
  const float32x2_t b2 = vadd_f32(vget_low_f32(b.lanes), vget_high_f32(b.lanes));
  const float32x2_t c2 = vadd_f32(vget_low_f32(c.lanes), vget_high_f32(c.lanes));
  const float32x2_t d2 = vadd_f32(vget_low_f32(d.lanes), vget_high_f32(d.lanes));
  return {vpaddq_f32(vcombine_f32(a2, b2), vcombine_f32(c2, d2))};
}

inline float hmax(Vec a) { return vmaxnmvq_f32(a.lanes); }

/** As many uint32 as Vec has floats. */
struct Words {
  uint32x4_t lanes;

  static Words set(uint32_t value) { return {vdupq_n_u32(value)}; }
  static Words load(const uint32_t* from) { return {vld1q_u32(from)}; }
};

inline Words operator+(Words a, Words b) { return {vaddq_u32(a.lanes, b.lanes)}; }
inline Words operator^(Words a, Words b) { return {veorq_u32(a.lanes, b.lanes)}; }

/** The halves of the 64-bit products. */
inline void multiplyWide(Words a, Words b, Words& high, Words& low) {
  const uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(a.lanes), vget_low_u32(b.lanes)));
  const uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(a.lanes, b.lanes));
  high.lanes = vuzp2q_u32(first, second);
  low.lanes = vuzp1q_u32(first, second);
}

/** Transposes each square of four lanes. */
inline void transposeFours(Words (&rows)[4]) {
  const uint32x4x2_t even = vzipq_u32(rows[0].lanes, rows[2].lanes), odd = vzipq_u32(rows[1].lanes, rows[3].lanes);
  const uint32x4x2_t first = vzipq_u32(even.val[0], odd.val[0]), second = vzipq_u32(even.val[1], odd.val[1]);
  rows[0].lanes = first.val[0];
  rows[1].lanes = first.val[1];
  rows[2].lanes = second.val[0];
  rows[3].lanes = second.val[1];
}

/** Transposes a square of floats in registers. */
inline void transpose(Vec (&rows)[Vec::width]) {
  Words words[4];
  for (int i = 0; i < 4; i++) words[i].lanes = vreinterpretq_u32_f32(rows[i].lanes);
  transposeFours(words);
  for (int i = 0; i < 4; i++) rows[i].lanes = vreinterpretq_f32_u32(words[i].lanes);
}

/** a where the word is at least the threshold, else 0. */
inline Vec keepFrom(Words threshold, Words words, Vec a) {
  return {vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a.lanes), vcgeq_u32(words.lanes, threshold.lanes)))};
}

}  // namespace anneal::ANNEAL_ISA
