#pragma once

#include "squares.h"

// Both operands of a block are brought into the cells that the microkernel reads. In a stored matrix K runs either along the
// rows (A as it is, B transposed) or across them (A transposed, B as it is).

namespace anneal::ANNEAL_ISA {

/**
 * `rows` rows of A with K along the rows: row-major cells, `row_stride` apart (a multiple of Vec::width, at least the cells
 * of `k` elements).
 */
template <Cells cells, typename Element>
void packRowsOfA(const Element* from, int64_t stride, int64_t rows, int64_t k, float* to, int64_t row_stride) {
  constexpr int64_t step = Vec::width * elementsPerCell(cells);
  constexpr int64_t together = 8;  // streams from memory at one time
  for (int64_t r = 0; r < rows; r += together) {
    const int64_t end = smaller(r + together, rows);
    for (int64_t i = 0, cell = 0; i < k; i += step, cell += Vec::width) {
      for (int64_t row = r; row < end; row++) {
        loadAlongK<cells>(from + row * stride + i, k - i).store(to + row * row_stride + cell);
      }
    }
  }
}

/** `rows` rows of op(A) with K across the stored rows: strips of kTileRows rows, each [cell along K][row]. */
template <Cells cells, typename Element>
void packColumnsOfA(const Element* from, int64_t stride, int64_t rows, int64_t k, float* to) {
  static_assert(kTileRows % Vec::width == 0 || 2 * kTileRows == Vec::width);
  const int64_t strip = cellsFor<cells>(k) * kTileRows;
  for (int64_t r = 0; r < rows; r += Vec::width) {
    const int count = clampCount(rows - r, Vec::width);
    float* out = to + r / kTileRows * strip + r % kTileRows;
    for (int64_t i = 0; i < k; i += elementsPerCell(cells), out += kTileRows) {
      const Vec across = loadAcrossK<cells>(from + i * stride + r, stride, count, i + 1 < k);
      if (count > kTileRows) {
        across.storeHalves(out, out + strip);
      } else {
        across.store(out, kTileRows < Vec::width ? kTileRows : Vec::width);
      }
    }
  }
}

/** `rows` rows of op(A) with K across the stored rows: row-major cells as from packRowsOfA, for tiles. */
template <Cells cells, typename Element>
void packColumnsOfAInRows(const Element* from, int64_t stride, int64_t rows, int64_t k, float* to, int64_t row_stride) {
  for (int64_t r = 0; r < rows; r += Vec::width) {
    const int count = clampCount(rows - r, Vec::width);
    for (int64_t cell = 0; cell < packedCellsFor<cells>(k); cell += Vec::width) {
      Vec square[Vec::width];
      for (int c = 0; c < Vec::width; c++) {
        const int64_t i = (cell + c) * elementsPerCell(cells);
        square[c] = i < k ? loadAcrossK<cells>(from + i * stride + r, stride, count, i + 1 < k) : Vec::zero();
      }
      transpose(square);
      for (int c = 0; c < count; c++) square[c].store(to + (r + c) * row_stride + cell);
    }
  }
}

/** A panel of B, [cell along K][width], from `columns` <= width columns of op(B) with K across the stored rows. */
template <Cells cells, typename Element>
void packRowsOfB(const Element* from, int64_t stride, int columns, int64_t k, float* to, int width) {
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  if constexpr (cells == Cells::squares) return packSquaresAcrossK(from, stride, columns, k, to, width);
#endif
  for (int64_t i = 0; i < k; i += elementsPerCell(cells), to += width) {
    for (int column = 0; column < width; column += Vec::width) {
      const int count = clampCount(columns - column, Vec::width);
      loadAcrossK<cells>(from + i * stride + column, stride, count, i + 1 < k).store(to + column);
    }
  }
  const int64_t missing = packedCellsFor<cells>(k) - cellsFor<cells>(k);
  std::memset(to, 0, static_cast<size_t>(missing * width) * sizeof *to);
}

/** The same panel from a B with K along the stored rows: squares of cells are transposed in registers. */
template <Cells cells, typename Element>
void packColumnsOfB(const Element* from, int64_t stride, int columns, int64_t k, float* to, int width) {
#if defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  if constexpr (cells == Cells::squares) return packSquaresAlongK(from, stride, columns, k, to, width);
#endif
  constexpr int64_t step = Vec::width * elementsPerCell(cells);
  const int64_t cells_k = packedCellsFor<cells>(k);
  for (int column = 0; column < width; column += Vec::width) {
    const int rows = clampCount(columns - column, Vec::width);
    const Element* source = from + column * stride;
    float* out = to + column;
    for (int64_t i = 0, cell = 0; i < k; i += step, cell += Vec::width) {
      Vec square[Vec::width];
      if (rows == Vec::width && k - i >= step) {
#pragma GCC unroll 16
        for (int r = 0; r < Vec::width; r++) square[r] = loadAlongK<cells>(source + r * stride + i, step);
      } else {
#pragma GCC unroll 16
        for (int r = 0; r < Vec::width; r++) {
          square[r] = r < rows ? loadAlongK<cells>(source + r * stride + i, k - i) : Vec::zero();
        }
      }
      transpose(square);
      const int64_t left = cells_k - cell;
      if (left >= Vec::width) {
#pragma GCC unroll 16
        for (int r = 0; r < Vec::width; r++) square[r].store(out + (cell + r) * width);
      } else {
        for (int r = 0; r < left; r++) square[r].store(out + (cell + r) * width);
      }
    }
  }
}

/** A strip of `rows` <= kTileRows rows of op(A) for Cells::squares, which is a panel as of B. */
template <Cells cells, typename Element>
void packStripOfSquares(const Element* from, int64_t stride, bool transposed, int rows, int64_t k, float* to) {
  if (transposed) packRowsOfB<cells>(from, stride, rows, k, to, kTileRows);
  else packColumnsOfB<cells>(from, stride, rows, k, to, kTileRows);
}

}  // namespace anneal::ANNEAL_ISA
