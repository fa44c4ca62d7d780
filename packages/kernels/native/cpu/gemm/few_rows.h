#pragma once

#include "gemm.h"
#include "pack.h"
#include "product.h"

// Decoding: a few rows of x against the rows of a stored weight, as dot products along K. Every weight is read once from
// where it lies, so the speed is the memory's. A result does not depend on how many rows there are.

namespace anneal::ANNEAL_ISA {

constexpr int kFewRows = 8;

struct FewRows {
  const float* x;  // row-major cells
  int64_t x_stride;
  const Matrix* weight;
  float* c;
  int64_t ldc, m, n, k;
  float alpha;
  bool accumulate;
  int64_t columns_per_task;
};

template <Cells cells, typename Element, int rows, int columns>
void dotProducts(const FewRows& call, const Element* weight, float* c) {
  constexpr int64_t step = Vec::width * elementsPerCell(cells);
  const int64_t stride = call.weight->stride;
  const int64_t cells_k = cellsFor<cells>(call.k);
  Vec sums[rows][columns];
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int j = 0; j < columns; j++) sums[r][j] = Vec::zero();
  }
  for (int64_t i = 0, cell = 0; i < call.k; i += step, cell += Vec::width) {
    Vec x[rows];
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) x[r] = loadWide(call.x + r * call.x_stride + cell, cells_k - cell);
#pragma GCC unroll 4
    for (int j = 0; j < columns; j++) {
      const Element* from = weight + j * stride + i;
      __builtin_prefetch(from + columns * stride);
      const Vec w = loadAlongK<cells>(from, call.k - i);
#pragma GCC unroll 8
      for (int r = 0; r < rows; r++) sums[r][j] = multiplyAdd<cells>(x[r], w, sums[r][j]);
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; r++) {
    const Vec products = columns == 1 ? Vec::set(sum(sums[r][0]))
                                      : sumEach(sums[r][0], sums[r][1 % columns], sums[r][2 % columns], sums[r][3 % columns]);
    float* out = c + r * call.ldc;
    const Vec alpha = Vec::set(call.alpha);
    (call.accumulate ? fma(alpha, products, Vec::load(out, columns)) : alpha * products).store(out, columns);
  }
}

template <Cells cells, typename Element, int rows>
void dotRange(const FewRows& call, int64_t first, int64_t end) {
  constexpr int most = kVectorRegisters == 32 ? 24 : 8;  // accumulators that stay in registers
  constexpr int columns = rows * 4 <= most ? 4 : rows * 2 <= most ? 2 : 1;
  const Element* weight = static_cast<const Element*>(call.weight->data);
  for (; first + columns <= end; first += columns) {
    dotProducts<cells, Element, rows, columns>(call, weight + first * call.weight->stride, call.c + first);
  }
  for (; first < end; first++) {
    dotProducts<cells, Element, rows, 1>(call, weight + first * call.weight->stride, call.c + first);
  }
}

/** Columns first … end - 1 of C, for at most kFewRows rows. */
template <Cells cells, typename Element>
void dotRows(const FewRows& call, int64_t first, int64_t end) {
  switch (call.m) {
    case 1: return dotRange<cells, Element, 1>(call, first, end);
    case 2: return dotRange<cells, Element, 2>(call, first, end);
    case 3: return dotRange<cells, Element, 3>(call, first, end);
    case 4: return dotRange<cells, Element, 4>(call, first, end);
    case 5: return dotRange<cells, Element, 5>(call, first, end);
    case 6: return dotRange<cells, Element, 6>(call, first, end);
    case 7: return dotRange<cells, Element, 7>(call, first, end);
    default: return dotRange<cells, Element, kFewRows>(call, first, end);
  }
}

template <Cells cells, typename Element>
void dotTask(void* argument, int64_t index, int) {
  const FewRows& call = *static_cast<const FewRows*>(argument);
  const int64_t first = index * call.columns_per_task;
  dotRows<cells, Element>(call, first, smaller(first + call.columns_per_task, call.n));
}

/** Whether the product is of this kind; its x must also fit into the scratch of one thread. */
inline bool hasFewRows(const Product& product) {
  const int64_t x_bytes = product.m * roundUp(product.k, Vec::width) * static_cast<int64_t>(sizeof(float));
  return product.m <= kFewRows && !product.a.transposed && product.b.transposed &&
         x_bytes <= static_cast<int64_t>(kScratchBytesPerThread);
}

template <Cells cells>
void gemmOfFewRows(Context& context, const Product& product) {
  constexpr int64_t weights_per_task = 32768;
  const auto [m, n, k, alpha, a, b, c, ldc, accumulate] = product;
  FewRows call{static_cast<const float*>(a.data), a.stride, &product.b, c, ldc, m, n, k, alpha, accumulate, 0};
  call.columns_per_task = roundUp((weights_per_task + k - 1) / k, 4);
  if (cells != Cells::exact || a.type != DType::f32) {
    float* packed = reinterpret_cast<float*>(context.scratch);
    call.x = packed;
    call.x_stride = roundUp(k, Vec::width);
    if (a.type == DType::bf16) {
      packRowsOfA<cells>(static_cast<const uint16_t*>(a.data), a.stride, m, k, packed, call.x_stride);
    } else {
      packRowsOfA<cells>(static_cast<const float*>(a.data), a.stride, m, k, packed, call.x_stride);
    }
  }
  const int64_t tasks = (n + call.columns_per_task - 1) / call.columns_per_task;
  runTasks(context, m * n * k, tasks, b.type == DType::bf16 ? dotTask<cells, uint16_t> : dotTask<cells, float>, &call);
}

}  // namespace anneal::ANNEAL_ISA
