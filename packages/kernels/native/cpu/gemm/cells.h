#pragma once

#include "../../dtype.h"
#include "../simd.h"

// Operands of the microkernel are made of 4-byte cells: a float, or a pair of bf16 that are neighbors along K (the lower
// half first) where the machine multiplies such pairs. Everything else about the product is the same for both.

namespace anneal::ANNEAL_ISA {

enum class Cells {
  exact,    // the operand widened to float
  rounded,  // a float that holds a bf16 value
  pairs,    // two bf16
  tiles,    // two bf16, for AMX, whose tiles hold 16 × 16 of them
  squares,  // two bf16, for the bfmmla of Arm, whose operands hold 2 × 2 of them
};

/**
 * How this instruction set computes with operands rounded to bf16: with few rows, and in blocks. Processors
 * with AMX take longer for pairs in vectors than for floats: a step of SmolLM2 ran at 294 tokens/s with pairs, 434 with floats.
 */
#if defined(ANNEAL_AMX)
constexpr Cells kRoundedCells = Cells::rounded, kRoundedBlockCells = Cells::tiles;
#elif defined(__AVX512BF16__)
constexpr Cells kRoundedCells = Cells::pairs, kRoundedBlockCells = Cells::pairs;
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
constexpr Cells kRoundedCells = Cells::pairs, kRoundedBlockCells = Cells::squares;
#else
constexpr Cells kRoundedCells = Cells::rounded, kRoundedBlockCells = Cells::rounded;
#endif

constexpr bool holdsPairs(Cells cells) { return cells == Cells::pairs || cells == Cells::tiles || cells == Cells::squares; }

/** Elements along K that one cell holds. */
constexpr int64_t elementsPerCell(Cells cells) { return holdsPairs(cells) ? 2 : 1; }

/** Cells that hold `elements` elements along K; the last may be half empty. */
template <Cells cells>
constexpr int64_t cellsFor(int64_t elements) {
  return (elements + elementsPerCell(cells) - 1) / elementsPerCell(cells);
}

constexpr int64_t roundUp(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }
constexpr int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
constexpr int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

/** Cells along K of a packed operand: tiles and squares are filled up with zeros. */
template <Cells cells>
constexpr int64_t packedCellsFor(int64_t elements) {
  return roundUp(cellsFor<cells>(elements), cells == Cells::tiles ? Vec::width : cells == Cells::squares ? 2 : 1);
}

template <Cells cells>
inline Vec multiplyAdd(Vec a, Vec b, Vec c) {
#if defined(__AVX512BF16__)
  if constexpr (cells == Cells::pairs) {
    return {_mm512_dpbf16_ps(c.lanes, (__m512bh)a.lanes, (__m512bh)b.lanes)};
  }
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  if constexpr (cells == Cells::pairs) {
    return {vbfdotq_f32(c.lanes, vreinterpretq_bf16_f32(a.lanes), vreinterpretq_bf16_f32(b.lanes))};
  }
#endif
  return fma(a, b, c);
}

inline int clampCount(int64_t count, int most) { return count <= 0 ? 0 : count < most ? static_cast<int>(count) : most; }

inline Vec loadWide(const float* from, int64_t count) {
  return count >= Vec::width ? Vec::load(from) : Vec::load(from, clampCount(count, Vec::width));
}
inline Vec loadWide(const uint16_t* from, int64_t count) {
  return count >= Vec::width ? Vec::loadBf16(from) : Vec::loadBf16(from, clampCount(count, Vec::width));
}

#if defined(__AVX512BF16__)
inline __m512i toPairs(const float* low, int low_count, const float* high, int high_count) {
  return (__m512i)_mm512_cvtne2ps_pbh(Vec::load(high, high_count).lanes, Vec::load(low, low_count).lanes);
}
inline __m512i toPairs(const uint16_t* low, int low_count, const uint16_t* high, int high_count) {
  const __m256i first = _mm256_maskz_loadu_epi16(Vec::firstLanes(low_count), low);
  const __m256i second = _mm256_maskz_loadu_epi16(Vec::firstLanes(high_count), high);
  return _mm512_inserti64x4(_mm512_castsi256_si512(first), second, 1);
}
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
inline uint16x4_t toHalves(const float* from, int count) { return Vec::load(from, count).narrow(); }
inline uint16x4_t toHalves(const uint16_t* from, int count) { return Vec::loadHalves(from, count); }
#endif

/** A vector of cells from elements that lie one after the other along K, of which `count` exist; zero beyond. */
template <Cells cells, typename Element>
inline Vec loadAlongK(const Element* from, int64_t count) {
#if defined(__AVX512BF16__)
  if constexpr (holdsPairs(cells)) {
    if (sizeof(Element) == sizeof(uint16_t) && count >= 32) return Vec::load(reinterpret_cast<const float*>(from));
    const int low = clampCount(count, 16), high = clampCount(count - 16, 16);
    return {_mm512_castsi512_ps(toPairs(from, low, from + 16, high))};
  }
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  if constexpr (holdsPairs(cells)) {
    if (sizeof(Element) == sizeof(uint16_t) && count >= 8) return Vec::load(reinterpret_cast<const float*>(from));
    const uint16x4_t low = toHalves(from, clampCount(count, 4)), high = toHalves(from + 4, clampCount(count - 4, 4));
    return {vreinterpretq_f32_u16(vcombine_u16(low, high))};
  }
#endif
  const Vec wide = loadWide(from, count);
  return cells == Cells::rounded && sizeof(Element) == sizeof(float) ? roundToBf16(wide) : wide;
}

/**
 * A vector of cells across K, one for each of `count` neighbors in a row of the stored matrix. Pairs are made with the row
 * `stride` further on, when `second_row` says that it exists.
 */
template <Cells cells, typename Element>
inline Vec loadAcrossK(const Element* from, int64_t stride, int count, bool second_row) {
#if defined(__AVX512BF16__)
  if constexpr (holdsPairs(cells)) {
    const __m512i rows = second_row ? toPairs(from, count, from + stride, count) : toPairs(from, count, from, 0);
    // Lane j takes element j of the first row and, above it, element 16 + j, which is the second row's.
    const __m512i each = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const __m512i interleave =
        _mm512_or_si512(_mm512_mullo_epi32(each, _mm512_set1_epi32(0x10001)), _mm512_set1_epi32(16 << 16));
    return {_mm512_castsi512_ps(_mm512_permutexvar_epi16(interleave, rows))};
  }
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  if constexpr (holdsPairs(cells)) {
    const uint16x4x2_t rows = vzip_u16(toHalves(from, count), second_row ? toHalves(from + stride, count) : vdup_n_u16(0));
    return {vreinterpretq_f32_u16(vcombine_u16(rows.val[0], rows.val[1]))};
  }
#endif
  (void)stride, (void)second_row;
  const Vec wide = loadWide(from, count);
  return cells == Cells::rounded && sizeof(Element) == sizeof(float) ? roundToBf16(wide) : wide;
}

}  // namespace anneal::ANNEAL_ISA
