#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {

// How a row of any width lies over threads: `group` neighboring threads take it in vectors of V, and hold `items` of these each
// in registers between the two passes over it. items = 0: the row is longer than that and is read a second time.

constexpr int kRowThreads = 256;

template <int V_, int group_, int items_>
struct RowShape {
  static constexpr int V = V_, group = group_, items = items_;
};

/** Calls body with the RowShape for rows of `width` elements of type A. */
template <typename A, typename Body>
void withRowShape(int64_t width, Body&& body) {
  constexpr int V = kLanes<A>;
  const int64_t vectors = width / V;
  if (!vectorRows(width, V))
    body(RowShape<1, kWarp, 0>{});
  else if (vectors <= 8)
    body(RowShape<V, 8, 1>{});
  else if (vectors <= 16)
    body(RowShape<V, 16, 1>{});
  else if (vectors <= kWarp)
    body(RowShape<V, kWarp, 1>{});
  else if (vectors <= 4 * kWarp)
    body(RowShape<V, kWarp, 4>{});
  else if (vectors <= 2 * kRowThreads)
    body(RowShape<V, kRowThreads, 2>{});
  else if (vectors <= 4 * kRowThreads)
    body(RowShape<V, kRowThreads, 4>{});
  else
    body(RowShape<V, kRowThreads, 0>{});
}

template <int V, int Items>
struct Held {
  float values[Items == 0 ? 1 : Items][V];
};

struct Place {
  int64_t row;
  int lane;
  bool real;  // false: beyond the last row; takes part in sums over threads, and stores nothing
};

template <int Group>
__device__ Place placeOf(int64_t rows) {
  const int64_t row = int64_t{blockIdx.x} * (kRowThreads / Group) + threadIdx.x / Group;
  return {row < rows ? row : rows - 1, static_cast<int>(threadIdx.x) % Group, row < rows};
}

/** Calls visit(column, item) for the vectors of this thread. */
template <int V, int Group, int Items, typename Visit>
__device__ void forRow(int width, int lane, Visit visit) {
  if constexpr (Items == 0) {
    for (int column = lane * V; column < width; column += Group * V) visit(column, 0);
  } else {
#pragma unroll
    for (int item = 0; item < Items; item++) {
      const int column = (item * Group + lane) * V;
      if (column < width) visit(column, item);
    }
  }
}

template <int Group, typename Kernel, typename Of>
void launchRows(const Launch& launch, int64_t rows, int64_t width, Kernel kernel, const Of& of) {
  if (rows == 0) return;
  const unsigned blocks = static_cast<unsigned>(ceilDivide(rows, kRowThreads / Group));
  kernel<<<blocks, kRowThreads, 0, contextOf(launch).stream>>>(rows, static_cast<int>(width), of);
}

}  // namespace anneal::cuda
