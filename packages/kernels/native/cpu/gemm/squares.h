#pragma once

#include "microkernel.h"

// Cells::squares. bfmmla multiplies two rows of four elements by two columns of four: a vector holds two cells of one row, then the
// same two of the next. Operands are packed as such vectors: panels of B in [two cells along K][column][2], and strips of A just so,
// with rows for columns.

namespace anneal::ANNEAL_ISA {

#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)

/** A panel from `columns` <= width columns of op(B), or rows of op(A), along whose stored rows K runs. */
template <typename Element>
void packSquaresAlongK(const Element* from, int64_t stride, int columns, int64_t k, float* to, int width) {
  constexpr int64_t step = Vec::width * elementsPerCell(Cells::squares);
  const auto load = [&](int column, int64_t i) {
    const Vec cells = column < columns ? loadAlongK<Cells::squares>(from + column * stride + i, k - i) : Vec::zero();
    return vreinterpretq_f64_f32(cells.lanes);
  };
  for (int64_t i = 0; i < k; i += step, to += Vec::width * width) {
    float* second = i + step / 2 < k ? to + 2 * width : nullptr;
    for (int column = 0; column < width; column += 2) {
      const float64x2_t a = load(column, i), b = load(column + 1, i);
      vst1q_f32(to + 2 * column, vreinterpretq_f32_f64(vzip1q_f64(a, b)));
      if (second) vst1q_f32(second + 2 * column, vreinterpretq_f32_f64(vzip2q_f64(a, b)));
    }
  }
}

/** The same where K runs across the stored rows. */
template <typename Element>
void packSquaresAcrossK(const Element* from, int64_t stride, int columns, int64_t k, float* to, int width) {
  constexpr int64_t step = 2 * elementsPerCell(Cells::squares);
  for (int64_t i = 0; i < k; i += step, to += 2 * width) {
    for (int column = 0; column < width; column += Vec::width) {
      const int count = clampCount(columns - column, Vec::width);
      const Element* source = from + i * stride + column;
      const Vec first = loadAcrossK<Cells::squares>(source, stride, count, i + 1 < k);
      const Vec second = i + 2 < k ? loadAcrossK<Cells::squares>(source + 2 * stride, stride, count, i + 3 < k) : Vec::zero();
      vst1q_f32(to + 2 * column, vzip1q_f32(first.lanes, second.lanes));
      vst1q_f32(to + 2 * column + Vec::width, vzip2q_f32(first.lanes, second.lanes));
    }
  }
}

/** The products of `rows` <= kTileRows rows of a strip and `vectors` vectors of columns of a panel of `width`. */
template <int vectors>
void multiplyColumnsOfSquares(int64_t cells_k, int rows, const float* a, const float* b, int64_t width, const TileTarget& target) {
  constexpr int pairs = kTileRows / 2;
  float32x4_t sums[pairs][2 * vectors];  // of two rows, two columns
#pragma GCC unroll 4
  for (int r = 0; r < pairs; r++) {
#pragma GCC unroll 6
    for (int c = 0; c < 2 * vectors; c++) sums[r][c] = vdupq_n_f32(0);
  }
  for (int64_t cell = 0; cell < cells_k; cell += 2) {
    bfloat16x8_t of_rows[pairs];
#pragma GCC unroll 4
    for (int r = 0; r < pairs; r++) of_rows[r] = vreinterpretq_bf16_f32(vld1q_f32(a + 4 * r));
#pragma GCC unroll 6
    for (int c = 0; c < 2 * vectors; c++) {
      keepLoadsBehind();
      const bfloat16x8_t of_columns = vreinterpretq_bf16_f32(vld1q_f32(b + 4 * c));
#pragma GCC unroll 4
      for (int r = 0; r < pairs; r++) sums[r][c] = vbfmmlaq_f32(sums[r][c], of_rows[r], of_columns);
    }
    a += 2 * kTileRows;
    b += 2 * width;
  }
#pragma GCC unroll 4
  for (int r = 0; r < pairs; r++) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) {
      const float64x2_t left = vreinterpretq_f64_f32(sums[r][2 * v]), right = vreinterpretq_f64_f32(sums[r][2 * v + 1]);
      const Vec first{vreinterpretq_f32_f64(vzip1q_f64(left, right))}, second{vreinterpretq_f32_f64(vzip2q_f64(left, right))};
      if (2 * r < rows) storeProducts(first, target, 2 * r, v * Vec::width);
      if (2 * r + 1 < rows) storeProducts(second, target, 2 * r + 1, v * Vec::width);
    }
  }
}

inline void multiplySquares(int64_t cells_k, int rows, int vectors, const float* a, const float* b, int64_t width,
                            const TileTarget& target) {
  switch (vectors) {
    case 1: return multiplyColumnsOfSquares<1>(cells_k, rows, a, b, width, target);
    case 2: return multiplyColumnsOfSquares<2>(cells_k, rows, a, b, width, target);
    default: return multiplyColumnsOfSquares<3>(cells_k, rows, a, b, width, target);
  }
}

#endif

}  // namespace anneal::ANNEAL_ISA
