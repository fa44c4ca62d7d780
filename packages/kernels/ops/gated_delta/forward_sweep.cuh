#pragma once

#include "cuda/carried_states.cuh"
#include "sweep.cuh"

namespace anneal::cuda {
namespace {

/** What a sweep begins with and leaves; each is null where it is not wanted. */
template <typename A>
struct ForwardResults {
  A* out;               // [tokens, values]
  float* differences;   // [tokens, values]: what a change is β times of, v - Sᵀk of the decayed state
  float* carriedStates;  // of slots, [heads · keySize, valueSize] each, read and written; the sequences are the documents then
  CarriedStates carried;
  KeptStates states;
};

/**
 * A block goes through one document with kColumns columns of a head: S ← e^g S, then S ← S + k (β (v - Sᵀk))ᵀ, out = Sᵀq. Both products
 * are with the state before the token, so that their sums over threads are formed together: Sᵀq = e^g S₀ᵀq + (q·k) change.
 */
template <int K, typename A>
__global__ void __launch_bounds__(kSweepThreads) forwardSweepKernel(GatedDelta<A> of, Packed packed, ForwardResults<A> results) {
  constexpr int R = K / kColumnLanes;
  __shared__ Stage<K> stage;
  const int document = static_cast<int>(blockIdx.x), column = static_cast<int>(blockIdx.y) * kColumns, head = static_cast<int>(blockIdx.z);
  const int own = static_cast<int>(threadIdx.x) / kColumnLanes, lane = static_cast<int>(threadIdx.x) % kColumnLanes;
  const bool isCarried = results.carriedStates != nullptr;
  const CarriedSequence sequence =
      isCarried ? results.carried.at(document) : CarriedSequence{packed.begin(document), packed.end(document), 0, 0, true};
  const int64_t begin = sequence.begin, end = sequence.end;
  if (begin >= end || (isCarried && end - begin == 1)) return;  // a single token is of oneTokenKernel
  const HeadRows<A> rows{of.qkv + of.valueColumn(head), of.columns};
  const bool isReal = column + own < of.valueSize;
  float S[R] = {};
  float* state = results.carriedStates + (int64_t{sequence.slot} * of.heads + head) * of.keySize * of.valueSize + column + own;
  if (!sequence.begins && isReal)
#pragma unroll
    for (int i = 0; i < R; i++) {
      const int row = rowOf(i / 4) + i % 4;
      if (row < of.keySize) S[i] = state[int64_t{row} * of.valueSize];
    }
  Ahead<K, A> ahead;
  ahead.read(of, head, rows, column, begin, min(end, (begin / kStage + 1) * kStage));
  for (int64_t first = begin; first < end;) {
    const int64_t next = min(end, (first / kStage + 1) * kStage);
    ahead.put(of, stage);
    __syncthreads();
    if (next < end) ahead.read(of, head, rows, column, next, min(end, next + kStage));
    if (results.states.data && first % kWindow == 0 && first != begin) results.states.keep(first, head, column + own, S);
#pragma unroll 1
    for (int t = 0; t < static_cast<int>(next - first); t++) {
      float known = 0, read = 0, keys[R];
#pragma unroll
      for (int i = 0; i < R / 4; i++) {
        const float4 k = fourOf(stage.k[t], i), q = fourOf(stage.q[t], i);
        keys[4 * i] = k.x, keys[4 * i + 1] = k.y, keys[4 * i + 2] = k.z, keys[4 * i + 3] = k.w;
        known += fmaf(k.x, S[4 * i], k.y * S[4 * i + 1]) + fmaf(k.z, S[4 * i + 2], k.w * S[4 * i + 3]);
        read += fmaf(q.x, S[4 * i], q.y * S[4 * i + 1]) + fmaf(q.z, S[4 * i + 2], q.w * S[4 * i + 3]);
      }
      known = joinLanes<kColumnLanes>(known, Sum{});
      read = joinLanes<kColumnLanes>(read, Sum{});
      const float decay = stage.decay[t], difference = stage.values[t][own] - decay * known, change = stage.beta[t] * difference;
#pragma unroll
      for (int i = 0; i < R; i++) S[i] = fmaf(S[i], decay, keys[i] * change);
      if (lane == 0) stage.results[t][own] = results.out ? fmaf(stage.qk[t], change, decay * read) : difference;
    }
    __syncthreads();
    forResults(first, next, column, of.valueSize, [&](int64_t token, int line, int c) {
      const float result = stage.results[line][threadIdx.x % kColumns];
      const int64_t at = token * of.values() + int64_t{head} * of.valueSize + c;
      if (results.out)
        results.out[at] = fromFloat<A>(result);
      else
        results.differences[at] = result;
    });
    first = next;
  }
  if (!isCarried || !isReal) return;
  for (int slot = 0; slot < sequence.slots; slot++, state += of.values() * of.keySize)
#pragma unroll
    for (int i = 0; i < R; i++) {
      const int row = rowOf(i / 4) + i % 4;
      if (row < of.keySize) state[int64_t{row} * of.valueSize] = S[i];
    }
}

}  // namespace
}  // namespace anneal::cuda
