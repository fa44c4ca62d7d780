#pragma once

#include "sweep.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct BackwardResults {
  A* dqkv;           // its columns of values are written
  float* dchanges;   // [tokens, values]
  KeptStates dstates;
};

/**
 * The same from the last token to the first, for the gradient dS of the state: dS ← dS + q doutᵀ, the gradient of the change is dSᵀk, that of v
 * β times as much, and what comes before has dS ← e^g (dS - k (β dSᵀk)ᵀ).
 */
template <int K, typename A>
__global__ void __launch_bounds__(kSweepThreads)
    backwardSweepKernel(GatedDelta<A> of, Packed packed, const A* dout, BackwardResults<A> results) {
  constexpr int R = K / kColumnLanes;
  __shared__ Stage<K> stage;
  const int document = static_cast<int>(blockIdx.x), column = static_cast<int>(blockIdx.y) * kColumns, head = static_cast<int>(blockIdx.z);
  const int own = static_cast<int>(threadIdx.x) / kColumnLanes, lane = static_cast<int>(threadIdx.x) % kColumnLanes;
  const int64_t begin = packed.begin(document), end = packed.end(document);
  if (begin >= end) return;
  const HeadRows<A> rows{dout + int64_t{head} * of.valueSize, of.values()};
  const auto stageBefore = [&](int64_t last) { return max(begin, (last - 1) / kStage * kStage); };
  float dS[R] = {};
  Ahead<K, A> ahead;
  ahead.read(of, head, rows, column, stageBefore(end), end);
  for (int64_t last = end; last > begin;) {
    const int64_t first = stageBefore(last);
    ahead.put(of, stage);
    __syncthreads();
    if (first > begin) ahead.read(of, head, rows, column, stageBefore(first), first);
#pragma unroll 1
    for (int t = static_cast<int>(last - first) - 1; t >= 0; t--) {
      float along = 0;
#pragma unroll
      for (int i = 0; i < R / 4; i++) {
        const float4 k = fourOf(stage.k[t], i);
        along += fmaf(k.x, dS[4 * i], k.y * dS[4 * i + 1]) + fmaf(k.z, dS[4 * i + 2], k.w * dS[4 * i + 3]);
      }
      along = joinLanes<kColumnLanes>(along, Sum{});
      const float d = stage.values[t][own], decay = stage.decay[t], dchange = fmaf(stage.qk[t], d, along);
      const float ofQuery = decay * d, ofKey = -decay * stage.beta[t] * dchange;
#pragma unroll
      for (int i = 0; i < R / 4; i++) {
        const float4 k = fourOf(stage.k[t], i), q = fourOf(stage.q[t], i);
        dS[4 * i] = fmaf(k.x, ofKey, fmaf(q.x, ofQuery, decay * dS[4 * i]));
        dS[4 * i + 1] = fmaf(k.y, ofKey, fmaf(q.y, ofQuery, decay * dS[4 * i + 1]));
        dS[4 * i + 2] = fmaf(k.z, ofKey, fmaf(q.z, ofQuery, decay * dS[4 * i + 2]));
        dS[4 * i + 3] = fmaf(k.w, ofKey, fmaf(q.w, ofQuery, decay * dS[4 * i + 3]));
      }
      if (lane == 0) stage.results[t][own] = dchange;
    }
    if (first % kWindow == 0 && first != begin) results.dstates.keep(first, head, column + own, dS);
    __syncthreads();
    forResults(first, last, column, of.valueSize, [&](int64_t token, int line, int c) {
      const float dchange = stage.results[line][threadIdx.x % kColumns];
      results.dchanges[token * of.values() + int64_t{head} * of.valueSize + c] = dchange;
      results.dqkv[token * of.columns + of.valueColumn(head) + c] = fromFloat<A>(of.beta(token, head) * dchange);
    });
    last = first;
  }
}

}  // namespace
}  // namespace anneal::cuda
