#pragma once

// The AVX-512 part of simd.h, which includes it.

namespace anneal::ANNEAL_ISA {

constexpr int kVectorRegisters = 32;

struct Vec {
  static constexpr int width = 16;
  __m512 lanes;

  static __mmask16 firstLanes(int count) { return static_cast<__mmask16>((1u << count) - 1u); }

  static Vec set(float value) { return {_mm512_set1_ps(value)}; }
  static Vec zero() { return {_mm512_setzero_ps()}; }
  static Vec load(const float* from) { return {_mm512_loadu_ps(from)}; }
  /** The first `count` (0…width) lanes; zero in the others, whose memory is not touched. */
  static Vec load(const float* from, int count) { return {_mm512_maskz_loadu_ps(firstLanes(count), from)}; }
  static Vec loadBf16(const uint16_t* from) {
    return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)));
  }
  static Vec loadBf16(const uint16_t* from, int count) {
    return widen(_mm256_maskz_loadu_epi16(firstLanes(count), from));
  }

  void store(float* to) const { _mm512_storeu_ps(to, lanes); }
  void store(float* to, int count) const { _mm512_mask_storeu_ps(to, firstLanes(count), lanes); }
  /** The first half of the lanes to `low`, the second to `high`. */
  void storeHalves(float* low, float* high) const {
    _mm256_storeu_ps(low, _mm512_castps512_ps256(lanes));
    _mm256_storeu_ps(high, _mm512_extractf32x8_ps(lanes, 1));
  }
  void storeBf16(uint16_t* to) const { _mm256_storeu_si256(reinterpret_cast<__m256i*>(to), narrow()); }
  void storeBf16(uint16_t* to, int count) const { _mm256_mask_storeu_epi16(to, firstLanes(count), narrow()); }

  static Vec widen(__m256i bf16) {
    return {_mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bf16), 16))};
  }

  /** Rounds like toBf16; with the instruction, denormals become zero. */
  __m256i narrow() const {
#if defined(__AVX512BF16__)
    return (__m256i)_mm512_cvtneps_pbh(lanes);
#else
    const __m512i bits = _mm512_castps_si512(lanes);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i rounded = _mm512_add_epi32(_mm512_add_epi32(bits, odd), _mm512_set1_epi32(0x7fff));
    const __mmask16 nan = _mm512_cmp_ps_mask(lanes, lanes, _CMP_UNORD_Q);
    const __m512i safe = _mm512_mask_or_epi32(rounded, nan, bits, _mm512_set1_epi32(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(safe, 16));
#endif
  }
};

inline Vec operator+(Vec a, Vec b) { return {_mm512_add_ps(a.lanes, b.lanes)}; }
inline Vec operator-(Vec a, Vec b) { return {_mm512_sub_ps(a.lanes, b.lanes)}; }
inline Vec operator*(Vec a, Vec b) { return {_mm512_mul_ps(a.lanes, b.lanes)}; }
inline Vec operator/(Vec a, Vec b) { return {_mm512_div_ps(a.lanes, b.lanes)}; }

/** a · b + c, rounded once. */
inline Vec fma(Vec a, Vec b, Vec c) { return {_mm512_fmadd_ps(a.lanes, b.lanes, c.lanes)}; }
/** b where either is NaN. */
inline Vec max(Vec a, Vec b) { return {_mm512_max_ps(a.lanes, b.lanes)}; }
inline Vec min(Vec a, Vec b) { return {_mm512_min_ps(a.lanes, b.lanes)}; }
inline Vec abs(Vec a) { return {_mm512_abs_ps(a.lanes)}; }
/** value, or 0 where x > limit. */
inline Vec zeroAbove(Vec value, Vec x, Vec limit) {
  return {_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x.lanes, limit.lanes, _CMP_NGT_UQ), value.lanes)};
}
inline Vec sqrt(Vec a) { return {_mm512_sqrt_ps(a.lanes)}; }
inline Vec round(Vec a) { return {_mm512_roundscale_ps(a.lanes, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)}; }
inline Vec scaleByPowerOfTwo(Vec a, Vec n) { return {_mm512_scalef_ps(a.lanes, n.lanes)}; }

/** Rounds every lane to a bf16 value. */
inline Vec roundToBf16(Vec a) { return Vec::widen(a.narrow()); }

/** The sum of all lanes, always in one order. */
inline float sum(Vec a) {
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(a.lanes), _mm512_extractf32x8_ps(a.lanes, 1));
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}

/** Lane i is the sum of vector i, added in the order of sum(). */
inline Vec sumEach(Vec a, Vec b, Vec c, Vec d) {
  const __m512 ab = _mm512_add_ps(_mm512_shuffle_f32x4(a.lanes, b.lanes, 0x44), _mm512_shuffle_f32x4(a.lanes, b.lanes, 0xee));
  const __m512 cd = _mm512_add_ps(_mm512_shuffle_f32x4(c.lanes, d.lanes, 0x44), _mm512_shuffle_f32x4(c.lanes, d.lanes, 0xee));
  const __m512 four = _mm512_add_ps(_mm512_shuffle_f32x4(ab, cd, 0x88), _mm512_shuffle_f32x4(ab, cd, 0xdd));
  const __m512 two = _mm512_add_ps(four, _mm512_permute_ps(four, 0x4e));
  const __m512 one = _mm512_add_ps(two, _mm512_permute_ps(two, 0xb1));
  return {_mm512_maskz_compress_ps(0x1111, one)};
}

inline float hmax(Vec a) {
  const __m256 eight = _mm256_max_ps(_mm512_castps512_ps256(a.lanes), _mm512_extractf32x8_ps(a.lanes, 1));
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(eight), _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

/** Transposes a square of floats in registers: pairs of rows, then of quarters. */
inline void transpose(Vec (&rows)[Vec::width]) {
  __m512 pairs[16];
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 2) {
    pairs[i] = _mm512_unpacklo_ps(rows[i].lanes, rows[i + 1].lanes);
    pairs[i + 1] = _mm512_unpackhi_ps(rows[i].lanes, rows[i + 1].lanes);
  }
  __m512 fours[16];  // fours[4g + c], quarter q: column 4q + c of rows 4g…4g+3
#pragma GCC unroll 16
  for (int i = 0; i < 16; i += 4) {
    fours[i] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0x44);
    fours[i + 1] = _mm512_shuffle_ps(pairs[i], pairs[i + 2], 0xee);
    fours[i + 2] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0x44);
    fours[i + 3] = _mm512_shuffle_ps(pairs[i + 1], pairs[i + 3], 0xee);
  }
#pragma GCC unroll 16
  for (int c = 0; c < 4; c++) {
    const __m512 low_even = _mm512_shuffle_f32x4(fours[c], fours[c + 4], 0x88);
    const __m512 low_odd = _mm512_shuffle_f32x4(fours[c], fours[c + 4], 0xdd);
    const __m512 high_even = _mm512_shuffle_f32x4(fours[c + 8], fours[c + 12], 0x88);
    const __m512 high_odd = _mm512_shuffle_f32x4(fours[c + 8], fours[c + 12], 0xdd);
    rows[c].lanes = _mm512_shuffle_f32x4(low_even, high_even, 0x88);
    rows[c + 4].lanes = _mm512_shuffle_f32x4(low_odd, high_odd, 0x88);
    rows[c + 8].lanes = _mm512_shuffle_f32x4(low_even, high_even, 0xdd);
    rows[c + 12].lanes = _mm512_shuffle_f32x4(low_odd, high_odd, 0xdd);
  }
}

/** As many uint32 as Vec has floats. */
struct Words {
  __m512i lanes;

  static Words set(uint32_t value) { return {_mm512_set1_epi32(static_cast<int>(value))}; }
  static Words load(const uint32_t* from) { return {_mm512_loadu_si512(from)}; }
};

inline Words operator+(Words a, Words b) { return {_mm512_add_epi32(a.lanes, b.lanes)}; }
inline Words operator^(Words a, Words b) { return {_mm512_xor_si512(a.lanes, b.lanes)}; }

/** The halves of the 64-bit products. */
inline void multiplyWide(Words a, Words b, Words& high, Words& low) {
  const __m512i even = _mm512_mul_epu32(a.lanes, b.lanes);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64(a.lanes, 32), _mm512_srli_epi64(b.lanes, 32));
  high.lanes = _mm512_mask_shuffle_epi32(odd, 0x5555, even, _MM_PERM_DDBB);
  low.lanes = _mm512_mask_shuffle_epi32(even, 0xaaaa, odd, _MM_PERM_CCAA);
}

/** Transposes each square of four lanes. */
inline void transposeFours(Words (&rows)[4]) {
  const __m512i low01 = _mm512_unpacklo_epi32(rows[0].lanes, rows[1].lanes);
  const __m512i high01 = _mm512_unpackhi_epi32(rows[0].lanes, rows[1].lanes);
  const __m512i low23 = _mm512_unpacklo_epi32(rows[2].lanes, rows[3].lanes);
  const __m512i high23 = _mm512_unpackhi_epi32(rows[2].lanes, rows[3].lanes);
  rows[0].lanes = _mm512_unpacklo_epi64(low01, low23);
  rows[1].lanes = _mm512_unpackhi_epi64(low01, low23);
  rows[2].lanes = _mm512_unpacklo_epi64(high01, high23);
  rows[3].lanes = _mm512_unpackhi_epi64(high01, high23);
}

/** a where the word is at least the threshold, else 0. */
inline Vec keepFrom(Words threshold, Words words, Vec a) {
  return {_mm512_maskz_mov_ps(_mm512_cmpge_epu32_mask(words.lanes, threshold.lanes), a.lanes)};
}

}  // namespace anneal::ANNEAL_ISA
