#pragma once

#include "microkernel.h"
#include "squares.h"
#if defined(ANNEAL_EMULATED_AMX)
#include "emulated_tiles.h"
#elif defined(ANNEAL_AMX)
#include "tiles.h"
#endif

// The microkernel of AMX: 2 × 2 tiles of C, so that four loads feed four products. A tile of A is 16 rows of 16 cells and one of
// B 16 cells along K of 16 columns, both as they are packed for the other kernels.

namespace anneal::ANNEAL_ISA {

constexpr int kAmxSize = 16;
constexpr int kAmxRows = 2 * kAmxSize, kAmxColumns = 2 * kAmxSize;

/** What one call of multiplyTile computes at most. */
template <Cells cells>
constexpr int tileRows() {
  return cells == Cells::tiles ? kAmxRows : kTileRows;
}
template <Cells cells>
constexpr int tileColumns() {
  return cells == Cells::tiles ? kAmxColumns : kTileColumns;
}

/** While it lives this thread's tiles are configured; nothing for other cells. */
template <Cells cells>
struct TilesInUse {
  TilesInUse() {}
};

#if defined(ANNEAL_AMX)

template <>
struct TilesInUse<Cells::tiles> {
  TilesInUse() { configureTiles(); }
  ~TilesInUse() { releaseTiles(); }
};

/** 16 or 32 rows and columns of products, into rows of 32. */
template <bool second_rows, bool second_columns>
void sumTiles(int64_t cells_k, const float* a, int64_t a_row, const float* b, int64_t b_k, float* sums) {
  const int64_t a_stride = a_row * 4, b_stride = b_k * 4;
  zeroTile<0>();
  if (second_columns) zeroTile<1>();
  if (second_rows) zeroTile<2>();
  if (second_rows && second_columns) zeroTile<3>();
  for (int64_t k = 0; k < cells_k; k += kAmxSize) {
    const float* b_tile = b + k * b_k;
    loadTile<4>(a + k, a_stride);
    loadTile<6>(b_tile, b_stride);
    addProducts<0, 4, 6>();
    if (second_columns) {
      loadTile<7>(b_tile + kAmxSize, b_stride);
      addProducts<1, 4, 7>();
    }
    if (second_rows) {
      loadTile<5>(a + kAmxSize * a_row + k, a_stride);
      addProducts<2, 5, 6>();
      if (second_columns) addProducts<3, 5, 7>();
    }
  }
  constexpr int64_t stride = kAmxColumns * 4;
  float* second = sums + kAmxSize * kAmxColumns;
  storeTile<0>(sums, stride);
  if (second_columns) storeTile<1>(sums + kAmxSize, stride);
  if (second_rows) storeTile<2>(second, stride);
  if (second_rows && second_columns) storeTile<3>(second + kAmxSize, stride);
}

/**
 * The product of `rows` <= 32 rows of A, `a_row` cells apart, and a panel of at most 32 columns, `b_k` cells from one cell
 * along K to the next. Cells are read in sixteens: those of A beyond `cells_k` are zero, what lies beyond `rows` is not used.
 */
inline void multiplyTiles(int64_t cells_k, int rows, const float* a, int64_t a_row, const float* b, int64_t b_k,
                          const TileTarget& target) {
  alignas(64) float sums[kAmxRows * kAmxColumns];
  const bool second_rows = rows > kAmxSize, second_columns = target.columns > kAmxSize;
  const auto sum = second_rows ? (second_columns ? sumTiles<true, true> : sumTiles<true, false>)
                               : (second_columns ? sumTiles<false, true> : sumTiles<false, false>);
  sum(cells_k, a, a_row, b, b_k, sums);
  for (int r = 0; r < rows; r++) {
    for (int column = 0; column < target.columns; column += Vec::width) {
      storeProducts(Vec::load(sums + r * kAmxColumns + column), target, r, column);
    }
  }
}

#endif

/**
 * A tile of C of `rows` rows and `vectors` vectors, as by microkernel(), with the kernel of these cells. For Cells::tiles the
 * rows of A lie along K (a_k = 1), and TilesInUse lives in this thread. For Cells::squares the strip of A is a packed panel.
 */
template <Cells cells>
void multiplyTile(int64_t cells_k, int rows, int vectors, const float* a, int64_t a_row, int64_t a_k, const float* b, int64_t b_k,
                  const TileTarget& target) {
#if defined(ANNEAL_AMX)
  if constexpr (cells == Cells::tiles) return multiplyTiles(cells_k, rows, a, a_row, b, b_k, target);
#elif defined(__ARM_FEATURE_BF16_VECTOR_ARITHMETIC)
  if constexpr (cells == Cells::squares) return multiplySquares(cells_k, rows, vectors, a, b, b_k, target);
#endif
  microkernelFor<cells>(rows, vectors)(cells_k, a, a_row, a_k, b, b_k, target);
}

}  // namespace anneal::ANNEAL_ISA
