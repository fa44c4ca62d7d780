#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

// y = alpha · x · weightᵀ (+ c) for up to four rows of x in bf16, as in decoding: what counts is to read the weight once, at the memory's speed. The
// library takes two to three times as long for rows of a few kilobytes.

namespace anneal::cuda {

constexpr int kMostFewRows = 4;
constexpr int kFewThreads = 256;
/** Warps that a product should have: enough loads on their way on any GPU of today. */
constexpr int kFewWarps = 4096;

/** Eight elements that are read once, rounded to bf16. */
__device__ inline void loadOnce(const Bf16* from, float (&to)[8]) {
  const uint4 words = __ldcs(reinterpret_cast<const uint4*>(from));
  load<8>(reinterpret_cast<const Bf16*>(&words), to);
}
__device__ inline void loadOnce(const float* from, float (&to)[8]) {
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const float4 four = __ldcs(reinterpret_cast<const float4*>(from) + half);
    const float values[4] = {four.x, four.y, four.z, four.w};
#pragma unroll
    for (int i = 0; i < 4; i++) to[4 * half + i] = toFloat(fromFloat<Bf16>(values[i]));
  }
}

/** A weight as its elements. One in another form has the same members: Nf4Weight of linear_nf4. */
template <typename W>
struct PlainWeight {
  const W* elements;

  /** What a block keeps in shared memory to read the weight. */
  struct Table {};
  __device__ void fill(Table&) const {}
  /** Eight elements from number `at` on, a multiple of eight, rounded to bf16. */
  __device__ void load(const Table&, int64_t at, float (&to)[8]) const { loadOnce(elements + at, to); }
};

template <typename Weight>
struct FewRows {
  Weight weight;
  const Bf16* x;
  const Bf16* c;
  Bf16* y;
  int tokens, rows, columns;  // of the weight, both latter
  float alpha;
};

/** `share` warps of a block go over one row of the weight, whose elements begin at `first`, each over every share-th 256 columns of it. */
template <int kTokens, typename Weight>
__device__ void multiplyFewRows(const FewRows<Weight>& p, int64_t first, int share) {
  __shared__ typename Weight::Table table;
  __shared__ float partial[kFewThreads / kWarp][kTokens];
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp, each = kFewThreads / kWarp / share;
  const int row = static_cast<int>(blockIdx.x) * each + warp / share;
  p.weight.fill(table);
  float sum[kTokens] = {};
  if (row < p.rows) {
#pragma unroll 4
    for (int column = (warp % share * kWarp + lane) * 8; column < p.columns; column += share * kWarp * 8) {
      float w[8];
      p.weight.load(table, first + int64_t{row} * p.columns + column, w);
#pragma unroll
      for (int t = 0; t < kTokens; t++) {
        float x[8];
        load<8>(p.x + int64_t{min(t, p.tokens - 1)} * p.columns + column, x);
#pragma unroll
        for (int i = 0; i < 8; i++) sum[t] = fmaf(w[i], x[i], sum[t]);
      }
    }
  }
#pragma unroll
  for (int t = 0; t < kTokens; t++) {
    const float joined = joinLanes<kWarp>(sum[t], Sum{});
    if (lane == t) partial[warp][t] = joined;
  }
  __syncthreads();
  if (warp % share != 0 || lane >= p.tokens || row >= p.rows) return;
  float total = 0;
  for (int i = 0; i < share; i++) total += partial[warp + i][lane];
  const int64_t place = int64_t{lane} * p.rows + row;
  total *= p.alpha;
  p.y[place] = fromFloat<Bf16>(p.c ? total + toFloat(p.c[place]) : total);
}

template <int kTokens, typename Weight>
__global__ void __launch_bounds__(kFewThreads) fewRowsKernel(FewRows<Weight> p, int share) {
  multiplyFewRows<kTokens>(p, 0, share);
}

/** Warps of a row of the weight, where there are `rows` of them in all. */
inline int warpsOfRow(int64_t rows, int columns) {
  int share = 1;
  while (share < 8 && rows * share < kFewWarps && columns > share * kWarp * 8) share *= 2;
  return share;
}

inline unsigned fewRowsBlocks(int rows, int share) { return static_cast<unsigned>(ceilDivide(int64_t{rows} * share, kFewThreads / kWarp)); }

template <typename Weight>
void fewRows(cudaStream_t stream, const FewRows<Weight>& p) {
  const int share = warpsOfRow(p.rows, p.columns);
  const auto kernel = p.tokens == 1 ? fewRowsKernel<1, Weight> : p.tokens == 2 ? fewRowsKernel<2, Weight> : fewRowsKernel<4, Weight>;
  kernel<<<fewRowsBlocks(p.rows, share), kFewThreads, 0, stream>>>(p, share);
}

/** Whether it serves products of these rows with rows of `columns` elements. */
inline bool areFew(const Tensor& x, const Tensor& y, int64_t columns) {
  return x.type == DType::bf16 && y.type == DType::bf16 && x.shape[0] > 0 && x.shape[0] <= kMostFewRows && columns % 8 == 0;
}

}  // namespace anneal::cuda
