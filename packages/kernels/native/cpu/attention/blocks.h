#pragma once

#include "../gemm/pack.h"
#include "../gemm/tile_kernel.h"
#include "attention.h"

// What the passes of attention share: blocks of queries and keys, and small products of blocks that lie in scratch.

namespace anneal::ANNEAL_ISA {

// Blocks of the forward pass: whole strips, and whole panels of the microkernel with every instruction set.
constexpr int kQueryBlock = 96;
constexpr int kKeyBlock = 192;
template <Cells cells>
constexpr bool kBlocksAreWhole = kQueryBlock % tileRows<cells>() == 0 && kKeyBlock % tileColumns<cells>() == 0;
static_assert(kBlocksAreWhole<Cells::exact> && kBlocksAreWhole<Cells::tiles>);

/** Hands out 64-byte aligned pieces of a thread's scratch. */
struct Scratch {
  char* next;
  float* floats(int64_t count) {
    float* piece = reinterpret_cast<float*>(next);
    next += roundUp(count * static_cast<int64_t>(sizeof(float)), 64);
    return piece;
  }
};

inline Scratch scratchOf(const Context& context, int thread) {
  return {context.scratch + static_cast<size_t>(thread) * context.scratch_bytes_per_thread};
}

/** Columns of each panel (but the last, which may have fewer): as many vectors as divide them evenly. */
template <Cells cells>
int panelWidth(int64_t columns) {
  constexpr int64_t most = tileColumns<cells>() / Vec::width;
  const int64_t vectors = (columns + Vec::width - 1) / Vec::width;
  const int64_t panels = (vectors + most - 1) / most;
  return static_cast<int>((vectors + panels - 1) / panels) * Vec::width;
}

/** The right operand of a product, [K, columns], as panels of the microkernel. */
struct Panels {
  float* cells;
  int64_t cells_k;  // height of every panel
  int columns, width;

  const float* panel(int index) const { return cells + index * cells_k * width; }
  /** Width of the panel as it is stored: whole vectors. */
  int widthOf(int index) const {
    return static_cast<int>(smaller(width, roundUp(columns - index * width, Vec::width)));
  }
};

/** Room for the panels of a [k, columns] operand, in cells. */
inline int64_t panelCells(int64_t k, int64_t columns) { return larger(k, Vec::width) * roundUp(columns, Vec::width); }

/** Packs `k` stored rows of `columns` elements. */
template <Cells cells, typename Element>
Panels packRows(const Element* from, int64_t stride, int64_t k, int64_t columns, float* to) {
  Panels panels{to, packedCellsFor<cells>(k), static_cast<int>(columns), panelWidth<cells>(columns)};
  for (int i = 0; i * panels.width < columns; i++) {
    const int first = i * panels.width;
    packRowsOfB<cells>(from + first, stride, static_cast<int>(smaller(columns - first, panels.width)), k,
                       to + i * panels.cells_k * panels.width, panels.widthOf(i));
  }
  return panels;
}

/** Packs the transpose of `columns` stored rows of `k` elements. */
template <Cells cells, typename Element>
Panels packTransposed(const Element* from, int64_t stride, int64_t k, int64_t columns, float* to) {
  Panels panels{to, packedCellsFor<cells>(k), static_cast<int>(columns), panelWidth<cells>(columns)};
  for (int i = 0; i * panels.width < columns; i++) {
    const int first = i * panels.width;
    packColumnsOfB<cells>(from + first * stride, stride, static_cast<int>(smaller(columns - first, panels.width)), k,
                          to + i * panels.cells_k * panels.width, panels.widthOf(i));
  }
  return panels;
}

/** One strip of at most tileRows() rows as left operand: the cell of row r at `cells` + r · row + K · k. */
struct Strip {
  const float* cells;
  int64_t row, k;
  int rows;
};

/** A strip whose K runs along its rows; `room` takes the cells when the rows cannot be read where they lie. */
template <Cells cells>
Strip stripOfRows(const float* from, int64_t stride, int rows, int64_t k, float* room) {
  if (cells == Cells::exact) return {from, stride, 1, rows};
  if (cells == Cells::squares) {
    packStripOfSquares<cells>(from, stride, false, rows, k, room);
    return {room, 0, 0, rows};
  }
  const int64_t row = roundUp(cellsFor<cells>(k), Vec::width);
  packRowsOfA<cells>(from, stride, rows, k, room, row);
  return {room, row, 1, rows};
}

/** A strip of `rows` columns of the stored rows, across which K runs. */
template <Cells cells>
Strip stripOfColumns(const float* from, int64_t stride, int rows, int64_t k, float* room) {
  if (cells == Cells::exact) return {from, 1, stride, rows};
  if (cells == Cells::squares) {
    packStripOfSquares<cells>(from, stride, true, rows, k, room);
    return {room, 0, 0, rows};
  }
  if (cells == Cells::tiles) {
    const int64_t row = packedCellsFor<cells>(k);
    packColumnsOfAInRows<cells>(from, stride, rows, k, room, row);
    return {room, row, 1, rows};
  }
  packColumnsOfA<cells>(from, stride, rows, k, room);
  return {room, 1, kTileRows, rows};
}

/**
 * C[rows, columns] = alpha · strip · panels (+ C), summed over `cells_k` cells from `first_cell` of the panels on, which
 * are the strip's first; for tiles a multiple of 16, for squares of 2. Computes the panels that hold columns first_column …
 * end_column - 1, whole; only the columns that exist are written.
 */
template <Cells cells>
void multiply(const Strip& strip, const Panels& panels, int64_t first_cell, int64_t cells_k, int first_column, int end_column,
              float alpha, bool accumulate, float* c, int64_t ldc) {
  for (int i = first_column / panels.width; i * panels.width < end_column; i++) {
    const int width = panels.widthOf(i), column = i * panels.width;
    multiplyTile<cells>(cells_k, strip.rows, width / Vec::width, strip.cells, strip.row, strip.k,
                        panels.panel(i) + first_cell * width, width,
                        {c + column, ldc, clampCount(panels.columns - column, width), alpha, accumulate});
  }
}

/** The keys of its block that a query sees: [first, end), empty when end <= first. */
struct Visible {
  int first, end;
};

/** For the query at `position` and the `keys` keys from position `first_key` on. */
inline Visible visibleKeys(int64_t position, int window, int64_t first_key, int64_t keys) {
  const int64_t oldest = window > 0 ? position - window + 1 : 0;
  return {static_cast<int>(larger(oldest - first_key, 0)), static_cast<int>(smaller(position + 1 - first_key, keys))};
}

/** Asks for `rows` rows of a block early: they lie too far apart for the hardware to foresee. */
template <typename Element>
void prefetchRows(const Element* from, int64_t stride, int64_t rows, int64_t size) {
  constexpr int64_t line = 64 / sizeof(Element);
  for (int64_t r = 0; r < rows; r++) {
    for (int64_t c = 0; c < size; c += line) __builtin_prefetch(from + r * stride + c);
  }
}

/** A stretch of one document's tokens within [first, end). */
struct Segment {
  int64_t document_first, document_end, first, end;
};

/** Calls visit(Segment) for every document that has tokens in [first, end), in order. */
template <typename Visit>
void forEachSegment(const AttentionShape& shape, int64_t first, int64_t end, Visit visit) {
  int64_t low = 0, high = shape.documents - 1;
  while (low < high) {
    const int64_t middle = (low + high) / 2;
    if (shape.cu_seqlens[middle + 1] > first) high = middle;
    else low = middle + 1;
  }
  for (int64_t d = low; d < shape.documents && shape.cu_seqlens[d] < end; d++) {
    const int64_t from = shape.cu_seqlens[d], to = shape.cu_seqlens[d + 1];
    if (from < to) visit(Segment{from, to, larger(from, first), smaller(to, end)});
  }
}

}  // namespace anneal::ANNEAL_ISA
