#pragma once

#include "cuda/cuda_context.h"
#include "cuda/vectors.cuh"

namespace anneal::cuda {

// Bodies are structs with `template <int V> __device__ void run(…) const` that handle V neighboring elements.

constexpr int kElementThreads = 256;
/** Blocks of a grid-stride loop, a multiprocessor: several rounds of all that fit, so that no round is long at the end. */
constexpr int64_t kBlocksEach = 32;

inline unsigned gridFor(const Launch& launch, int64_t blocks) {
  const int64_t most = contextOf(launch).multiprocessors * kBlocksEach;
  return static_cast<unsigned>(blocks < most ? blocks : most);
}

template <int V, typename Body>
__global__ void __launch_bounds__(kElementThreads) elementsKernel(int64_t count, Body body) {
  const int64_t stride = int64_t{gridDim.x} * kElementThreads * V;
  for (int64_t i = (int64_t{blockIdx.x} * kElementThreads + threadIdx.x) * V; i < count; i += stride) {
    if (i + V <= count)
      body.template run<V>(i);
    else
#pragma unroll 1
      for (int64_t rest = i; rest < count; rest++) body.template run<1>(rest);
  }
}

/** Runs body.run<V>(i) over [0, count), V elements of type A being 16 bytes; the last ones alone. All data is 16-byte aligned. */
template <typename A, typename Body>
void overElements(const Launch& launch, int64_t count, const Body& body) {
  if (count == 0) return;
  constexpr int V = kLanes<A>;
  elementsKernel<V><<<gridFor(launch, ceilDivide(count, V * kElementThreads)), kElementThreads, 0, contextOf(launch).stream>>>(count, body);
}

template <typename A, typename Function>
struct Mapped {
  const A* x;
  A* y;
  Function function;

  template <int V>
  __device__ void run(int64_t i) const {
    float values[V];
    load<V>(x + i, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = function(values[j]);
    store<V>(y + i, values);
  }
};

/** The op y = function(x), element by element, in float32 whatever the type of x and y. */
template <typename Function>
const char* mapElements(const Launch& launch, const Function& function) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, y.elements(), Mapped<A, Function>{dataOf<A>(x), dataOf<A>(y), function});
  });
}

template <int V, typename Body>
__global__ void __launch_bounds__(kElementThreads) rowsKernel(int64_t rows, int width, int lanes, Body body) {
  const int perBlock = kElementThreads / lanes;
  const int first = static_cast<int>(threadIdx.x) % lanes * V;
  for (int64_t row = int64_t{blockIdx.x} * perBlock + threadIdx.x / lanes; row < rows; row += int64_t{gridDim.x} * perBlock)
#pragma unroll 1
    for (int column = first; column < width; column += lanes * V) body.template run<V>(row, column);
}

/** Threads that share a row of `vectors` vectors. */
inline int lanesFor(int64_t vectors) {
  int lanes = 1;
  while (lanes < kElementThreads && lanes < vectors) lanes *= 2;
  return lanes;
}

/** Runs body.run<V>(row, column) over a matrix, V elements of type A being 16 bytes where `width` is a multiple of them, else V = 1. */
template <typename A, typename Body>
void overRows(const Launch& launch, int64_t rows, int64_t width, const Body& body, bool vectors = true) {
  if (rows == 0 || width == 0) return;
  const int V = vectors && vectorRows(width, kLanes<A>) ? kLanes<A> : 1;
  const int lanes = lanesFor(ceilDivide(width, V));
  const unsigned grid = gridFor(launch, ceilDivide(rows, kElementThreads / lanes));
  const auto kernel = V == 1 ? rowsKernel<1, Body> : rowsKernel<kLanes<A>, Body>;
  kernel<<<grid, kElementThreads, 0, contextOf(launch).stream>>>(rows, static_cast<int>(width), lanes, body);
}

/** The same one element at a time, for bodies that have no vectors. */
template <typename Body>
void overSingles(const Launch& launch, int64_t rows, int64_t width, const Body& body) {
  if (rows == 0 || width == 0) return;
  const int lanes = lanesFor(width);
  const unsigned grid = gridFor(launch, ceilDivide(rows, kElementThreads / lanes));
  rowsKernel<1, Body><<<grid, kElementThreads, 0, contextOf(launch).stream>>>(rows, static_cast<int>(width), lanes, body);
}

__device__ inline void report(int32_t* fault, Fault what) { *reinterpret_cast<volatile int32_t*>(fault) = static_cast<int32_t>(what); }

/** `id` where it lies in [0, limit); else reports and gives 0. */
__device__ inline int64_t checkedId(int32_t id, int64_t limit, int32_t* fault, Fault what) {
  if (id >= 0 && id < limit) return id;
  report(fault, what);
  return 0;
}

/** Whether rows begin … end - 1 may be part `index` of offsets that ascend from 0 to `rows`. */
__device__ inline bool ascends(int64_t begin, int64_t end, int index, int parts, int64_t rows) {
  return (index == 0 ? begin == 0 : begin >= 0) && begin <= end && (index + 1 == parts ? end == rows : end <= rows);
}

}  // namespace anneal::cuda
