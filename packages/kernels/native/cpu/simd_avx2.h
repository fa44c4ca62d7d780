#pragma once

// The AVX2 part of simd.h, which includes it.

namespace anneal::ANNEAL_ISA {

constexpr int kVectorRegisters = 16;

struct Vec {
  static constexpr int width = 8;
  __m256 lanes;

  static __m256i firstLanes(int count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }

  static Vec set(float value) { return {_mm256_set1_ps(value)}; }
  static Vec zero() { return {_mm256_setzero_ps()}; }
  static Vec load(const float* from) { return {_mm256_loadu_ps(from)}; }
  /** The first `count` (0…width) lanes; zero in the others, whose memory is not touched. */
  static Vec load(const float* from, int count) { return {_mm256_maskload_ps(from, firstLanes(count))}; }
  static Vec loadBf16(const uint16_t* from) { return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))); }
  static Vec loadBf16(const uint16_t* from, int count) {
    alignas(16) uint16_t copy[width] = {};
    std::memcpy(copy, from, static_cast<size_t>(count) * sizeof *from);
    return loadBf16(copy);
  }

  void store(float* to) const { _mm256_storeu_ps(to, lanes); }
  void store(float* to, int count) const { _mm256_maskstore_ps(to, firstLanes(count), lanes); }
  /** The first half of the lanes to `low`, the second to `high`. */
  void storeHalves(float* low, float* high) const {
    _mm_storeu_ps(low, _mm256_castps256_ps128(lanes));
    _mm_storeu_ps(high, _mm256_extractf128_ps(lanes, 1));
  }
  void storeBf16(uint16_t* to) const { _mm_storeu_si128(reinterpret_cast<__m128i*>(to), narrow()); }
  void storeBf16(uint16_t* to, int count) const {
    alignas(16) uint16_t copy[width];
    storeBf16(copy);
    std::memcpy(to, copy, static_cast<size_t>(count) * sizeof *to);
  }

  static Vec widen(__m128i bf16) {
    return {_mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bf16), 16))};
  }

  /** Rounds like toBf16. */
  __m128i narrow() const {
    const __m256i bits = _mm256_castps_si256(lanes);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i rounded = _mm256_add_epi32(_mm256_add_epi32(bits, odd), _mm256_set1_epi32(0x7fff));
    const __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(lanes, lanes, _CMP_UNORD_Q));
    const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(0x400000));
    const __m256i high = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, nan), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
  }
};

inline Vec operator+(Vec a, Vec b) { return {_mm256_add_ps(a.lanes, b.lanes)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm256_sub_ps(a.lanes, b.lanes)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm256_mul_ps(a.lanes, b.lanes)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm256_div_ps(a.lanes, b.lanes)}; }

/** a · b + c, rounded once. */
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm256_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }
/** b where either is NaN. */
inline Vec max(Vec a, Vec b) { return {_mm256_max_ps(a.lanes, b.lanes)}; }
inline Vec min(Vec a, Vec b) { return {_mm256_min_ps(a.lanes, b.lanes)}; }
inline Vec abs(Vec a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.lanes)}; }
/** value, or 0 where x > limit. */
inline Vec zeroAbove(Vec value, Vec x, Vec limit) {
  return {_mm256_and_ps(value.lanes, _mm256_cmp_ps(x.lanes, limit.lanes, _CMP_NGT_UQ))};
}
inline Vec sqrt(Vec a) { return {_mm256_sqrt_ps(a.lanes)}; }
inline Vec round(Vec a) { return {_mm256_round_ps(a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }

/** a · 2^n for integral n in [-252, 254], in two factors so that denormal results and infinity come out right. */
inline Vec scaleByPowerOfTwo(Vec a, Vec n) {
  const __m256i whole = _mm256_cvtps_epi32(n.lanes);
  const __m256i half = _mm256_srai_epi32(whole, 1);
  const __m256i bias = _mm256_set1_epi32(127);
  const __m256i first = _mm256_slli_epi32(_mm256_add_epi32(half, bias), 23);
  const __m256i second = _mm256_slli_epi32(_mm256_add_epi32(_mm256_sub_epi32(whole, half), bias), 23);
  return {_mm256_mul_ps(_mm256_mul_ps(a.lanes, _mm256_castsi256_ps(first)), _mm256_castsi256_ps(second))};
}

/** Rounds every lane to a bf16 value. */
inline Vec roundToBf16(Vec a) { return Vec::widen(a.narrow()); }

/** The sum of all lanes, always in one order. */
inline float sum(Vec a) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(a.lanes), _mm256_extractf128_ps(a.lanes, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/** Lane i is the sum of vector i, added in the order of sum(). */
inline Vec sumEach(Vec a, Vec b, Vec c, Vec d) { return {_mm256_setr_ps(sum(a), sum(b), sum(c), sum(d), 0, 0, 0, 0)}; }

inline float hmax(Vec a) {
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(a.lanes), _mm256_extractf128_ps(a.lanes, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/** Transposes a square of floats in registers: pairs of rows, then of halves. */
inline void transpose(Vec (&rows)[Vec::width]) {
  __m256 pairs[8];
  for (int i = 0; i < 8; i += 2) {
    pairs[i] = _mm256_unpacklo_ps(rows[i].lanes, rows[i + 1].lanes);
    pairs[i + 1] = _mm256_unpackhi_ps(rows[i].lanes, rows[i + 1].lanes);
  }
  __m256 fours[8];  // fours[4g + c], half h: column 4h + c of rows 4g…4g+3
  for (int i = 0; i < 8; i += 4) {
    fours[i] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm256_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    fours[i + 2] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm256_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
  for (int c = 0; c < 4; c++) {
    rows[c].lanes = _mm256_permute2f128_ps(fours[c], fours[c + 4], 0x20);
    rows[c + 4].lanes = _mm256_permute2f128_ps(fours[c], fours[c + 4], 0x31);
  }
}

/** As many uint32 as Vec has floats. */
struct Words {
  __m256i lanes;

  static Words set(uint32_t value) { return {_mm256_set1_epi32(static_cast<int>(value))}; }
  static Words load(const uint32_t* from) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))}; }
};

inline Words operator+(Words a, Words b) { return {_mm256_add_epi32(a.lanes, b.lanes)}; }
inline Words operator^(Words a, Words b) { return {_mm256_xor_si256(a.lanes, b.lanes)}; }

/** The halves of the 64-bit products. */
inline void multiplyWide(Words a, Words b, Words& high, Words& low) {
  const __m256i even = _mm256_mul_epu32(a.lanes, b.lanes);
  const __m256i odd = _mm256_mul_epu32(_mm256_srli_epi64(a.lanes, 32), _mm256_srli_epi64(b.lanes, 32));
  high.lanes = _mm256_blend_epi32(odd, _mm256_srli_epi64(even, 32), 0x55);
  low.lanes = _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xaa);
}

/** Transposes each square of four lanes. */
inline void transposeFours(Words (&rows)[4]) {
  const __m256i low01 = _mm256_unpacklo_epi32(rows[0].lanes, rows[1].lanes);
  const __m256i high01 = _mm256_unpackhi_epi32(rows[0].lanes, rows[1].lanes);
  const __m256i low23 = _mm256_unpacklo_epi32(rows[2].lanes, rows[3].lanes);
  const __m256i high23 = _mm256_unpackhi_epi32(rows[2].lanes, rows[3].lanes);
  rows[0].lanes = _mm256_unpacklo_epi64(low01, low23);
  rows[1].lanes = _mm256_unpackhi_epi64(low01, low23);
  rows[2].lanes = _mm256_unpacklo_epi64(high01, high23);
  rows[3].lanes = _mm256_unpackhi_epi64(high01, high23);
}

/** a where the word is at least the threshold, else 0. */
inline Vec keepFrom(Words threshold, Words words, Vec a) {
  const __m256i kept = _mm256_cmpeq_epi32(_mm256_max_epu32(words.lanes, threshold.lanes), words.lanes);
  return {_mm256_and_ps(_mm256_castsi256_ps(kept), a.lanes)};
}

}  // namespace anneal::ANNEAL_ISA
