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

/** Vectors of a row that a thread reads before it multiplies the first of them: enough loads on their way at once. */
constexpr int kFewAtOnce = 4;

/** Each to the nearest bf16, in pairs, which is faster than one by one. */
__device__ inline void roundToBf16(float (&values)[8]) {
#pragma unroll
  for (int i = 0; i < 8; i += 2) {
    const float2 pair = __bfloat1622float2(__floats2bfloat162_rn(values[i], values[i + 1]));
    values[i] = pair.x, values[i + 1] = pair.y;
  }
}

/** A weight as its elements. One in another form has the same members: Nf4Weight of linear_nf4. */
template <typename W>
struct PlainWeight {
  const W* elements;

  /** What a block keeps in shared memory to read the weight. */
  struct Table {};
  __device__ void fill(Table&) const {}
  /** Eight neighboring elements as they are held. */
  struct Vector {
    uint4 words[sizeof(W) / 2];
  };
  /** Those from number `at` on, a multiple of eight; they are read once. */
  __device__ Vector read(uint64_t at) const {
    Vector vector;
#pragma unroll
    for (int i = 0; i < static_cast<int>(sizeof(W) / 2); i++) vector.words[i] = __ldcs(reinterpret_cast<const uint4*>(elements + at) + i);
    return vector;
  }
  /** Rounded to bf16. */
  __device__ void decode(const Table&, const Vector& vector, float (&to)[8]) const {
    load<8>(reinterpret_cast<const W*>(vector.words), to);
    if constexpr (sizeof(W) == 4) roundToBf16(to);
  }
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
  const int step = share * kWarp * 8, end = row < p.rows ? p.columns : 0;
  for (int begin = (warp % share * kWarp + lane) * 8; begin < end; begin += kFewAtOnce * step) {
    typename Weight::Vector vectors[kFewAtOnce];
#pragma unroll
    for (int i = 0; i < kFewAtOnce; i++)
      if (begin + i * step < end) vectors[i] = p.weight.read(static_cast<uint64_t>(first + int64_t{row} * p.columns + begin + i * step));
#pragma unroll
    for (int i = 0; i < kFewAtOnce; i++) {
      const int column = begin + i * step;
      if (column >= end) continue;
      float w[8];
      p.weight.decode(table, vectors[i], w);
#pragma unroll
      for (int t = 0; t < kTokens; t++) {
        float x[8];
        load<8>(p.x + int64_t{min(t, p.tokens - 1)} * p.columns + column, x);
#pragma unroll
        for (int j = 0; j < 8; j++) sum[t] = fmaf(w[j], x[j], sum[t]);
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
