#pragma once

#include "cells.h"

namespace anneal::ANNEAL_ISA {

// The tile of C that one call keeps in registers: 24 accumulators of 32 registers with AVX-512 and NEON, 12 of 16 elsewhere.
// 8 × 48 runs at 98 % of the multiply-add peak on Zen 5 (240 GFLOP/s a core), from L2 as well as from L1.
constexpr int kTileRows = kVectorRegisters == 32 ? 8 : 4;
constexpr int kTileVectors = 3;
constexpr int kTileColumns = kTileVectors * Vec::width;

/** What to do with a finished tile: C = alpha · tile (+ C). Only `columns` of the tile's columns exist. */
struct TileTarget {
  float* c;
  int64_t ldc;
  int columns;
  float alpha;
  bool accumulate;
};

/** With NEON, GCC would load the cells of all rows at once, and spill sums to make room for them. */
inline void keepLoadsBehind() {
#if defined(ANNEAL_NEON)
  asm volatile("" ::: "memory");
#endif
}

/** Brings a vector of a finished tile to C. */
inline void storeProducts(Vec products, const TileTarget& target, int row, int column) {
  float* c = target.c + row * target.ldc + column;
  const int count = target.columns - column;
  const Vec alpha = Vec::set(target.alpha);
  if (count >= Vec::width) {
    (target.accumulate ? fma(alpha, products, Vec::load(c)) : alpha * products).store(c);
  } else {
    (target.accumulate ? fma(alpha, products, Vec::load(c, count)) : alpha * products).store(c, count);
  }
}

/**
 * A tile of `rows` × (`vectors` · Vec::width), summed over `cells_k` cells. `a` has one cell at r · a_row + k · a_k;
 * `b` has a row of the tile's width every `b_k` cells.
 */
template <Cells cells, int rows, int vectors>
void microkernel(int64_t cells_k, const float* a, int64_t a_row, int64_t a_k, const float* b, int64_t b_k,
                 const TileTarget& target) {
  Vec tile[rows][vectors];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) tile[r][v] = Vec::zero();
  }
  for (int64_t k = 0; k < cells_k; k++) {
    Vec columns[vectors];
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) columns[v] = Vec::load(b + v * Vec::width);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
      keepLoadsBehind();
      const Vec row = Vec::set(a[r * a_row]);
#pragma GCC unroll 3
      for (int v = 0; v < vectors; v++) tile[r][v] = multiplyAdd<cells>(row, columns[v], tile[r][v]);
    }
    a += a_k;
    b += b_k;
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 3
    for (int v = 0; v < vectors; v++) storeProducts(tile[r][v], target, r, v * Vec::width);
  }
}

using Microkernel = void (*)(int64_t, const float*, int64_t, int64_t, const float*, int64_t, const TileTarget&);

template <Cells cells, int vectors>
Microkernel microkernelOfRows(int rows) {
  switch (rows) {
    case 1: return microkernel<cells, 1, vectors>;
    case 2: return microkernel<cells, 2, vectors>;
    case 3: return microkernel<cells, 3, vectors>;
    case 4: return microkernel<cells, 4, vectors>;
    case 5: return microkernel<cells, 5 < kTileRows ? 5 : kTileRows, vectors>;
    case 6: return microkernel<cells, 6 < kTileRows ? 6 : kTileRows, vectors>;
    case 7: return microkernel<cells, 7 < kTileRows ? 7 : kTileRows, vectors>;
    default: return microkernel<cells, kTileRows, vectors>;
  }
}

/** The kernel for a tile of 1…kTileRows rows and 1…kTileVectors vectors. */
template <Cells cells>
Microkernel microkernelFor(int rows, int vectors) {
  switch (vectors) {
    case 1: return microkernelOfRows<cells, 1>(rows);
    case 2: return microkernelOfRows<cells, 2>(rows);
    default: return microkernelOfRows<cells, 3>(rows);
  }
}

}  // namespace anneal::ANNEAL_ISA
