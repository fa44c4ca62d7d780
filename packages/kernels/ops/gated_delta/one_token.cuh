#pragma once

#include "cuda/carried_states.cuh"
#include "sweep.cuh"

namespace anneal::cuda {
namespace {

constexpr int kStepThreads = 256;
constexpr int kStepWarps = kStepThreads / kWarp;
/** Columns of a block, each thread having V neighbors. */
template <int V>
constexpr int kStepColumns = V * kWarp;

/** Σ q², Σ k² and Σ qk, each in parts of a warp. */
struct StepSums {
  float qq[kStepWarps], kk[kStepWarps], qk[kStepWarps];
};

__device__ inline float sumOf(const float (&parts)[kStepWarps]) {
  float sum = 0;
#pragma unroll
  for (int i = 0; i < kStepWarps; i++) sum += parts[i];
  return sum;
}

/**
 * As a forward sweep, for sequences that go on with one token: what counts is to read and write their states at the memory's speed. A block has
 * some columns of a head, each warp every kStepWarps-th row of them.
 */
template <int K, int V, typename A>
__global__ void __launch_bounds__(kStepThreads, K <= 128 ? 2 : 1) oneTokenKernel(GatedDelta<A> of, A* out, float* states, CarriedStates carried) {
  constexpr int R = K / kStepWarps;
  __shared__ float q[K], k[K];
  __shared__ __align__(16) float known[kStepWarps][kStepColumns<V>], read[kStepWarps][kStepColumns<V>];
  __shared__ StepSums sums;
  const int thread = static_cast<int>(threadIdx.x), warp = thread / kWarp, own = thread % kWarp * V, head = static_cast<int>(blockIdx.z);
  const CarriedSequence sequence = carried.at(static_cast<int>(blockIdx.x));
  const int64_t token = sequence.begin;
  if (sequence.end - token != 1) return;
  const int column = static_cast<int>(blockIdx.y) * kStepColumns<V> + own;
  const bool isReal = column < of.valueSize;
  float* state = states + ((int64_t{sequence.slot} * of.heads + head) * of.keySize + warp) * of.valueSize + column;

  float S[R][V] = {}, values[V] = {};
  if (isReal && !sequence.begins) {
    const float* from = state;
#pragma unroll
    for (int i = 0; i < R; i++, from += kStepWarps * of.valueSize)
      if (warp + i * kStepWarps < of.keySize) load<V>(from, S[i]);
  }
  if (isReal) {
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = toFloat(of.qkv[token * of.columns + of.valueColumn(head) + column + j]);
  }
  const bool isElement = thread < of.keySize;
  const float ownQ = isElement ? toFloat(of.query(token, of.keyHeadOf(head))[thread]) : 0;
  const float ownK = isElement ? toFloat(of.key(token, of.keyHeadOf(head))[thread]) : 0;
  if (thread < K) q[thread] = ownQ, k[thread] = ownK;
  const float qq = joinLanes<kWarp>(ownQ * ownQ, Sum{}), kk = joinLanes<kWarp>(ownK * ownK, Sum{}), qk = joinLanes<kWarp>(ownQ * ownK, Sum{});
  if (thread % kWarp == 0) sums.qq[warp] = qq, sums.kk[warp] = kk, sums.qk[warp] = qk;
  __syncthreads();

  const float queryScale = of.queryScale(sumOf(sums.qq)), keyScale = of.keyScale(sumOf(sums.kk));
  float ofKey[V] = {}, ofQuery[V] = {};
#pragma unroll
  for (int i = 0; i < R; i++)
#pragma unroll
    for (int j = 0; j < V; j++) {
      ofKey[j] = fmaf(k[warp + i * kStepWarps], S[i][j], ofKey[j]);
      ofQuery[j] = fmaf(q[warp + i * kStepWarps], S[i][j], ofQuery[j]);
    }
  store<V>(&known[warp][own], ofKey);
  store<V>(&read[warp][own], ofQuery);
  __syncthreads();
  if (!isReal) return;

  const float decay = expf(of.g(token, head)), beta = of.beta(token, head), both = sumOf(sums.qk) * queryScale * keyScale;
  float changes[V];
#pragma unroll
  for (int j = 0; j < V; j++) {
    float knownOfAll = 0, readOfAll = 0;
#pragma unroll
    for (int w = 0; w < kStepWarps; w++) knownOfAll += known[w][own + j], readOfAll += read[w][own + j];
    const float change = beta * (values[j] - decay * keyScale * knownOfAll);
    changes[j] = keyScale * change;
    if (warp == 0)
      out[token * of.values() + int64_t{head} * of.valueSize + column + j] = fromFloat<A>(fmaf(both, change, decay * queryScale * readOfAll));
  }
#pragma unroll
  for (int i = 0; i < R; i++)
#pragma unroll
    for (int j = 0; j < V; j++) S[i][j] = fmaf(S[i][j], decay, k[warp + i * kStepWarps] * changes[j]);
#pragma unroll 1
  for (int slot = 0; slot < sequence.slots; slot++, state += of.values() * of.keySize) {
    float* to = state;
#pragma unroll
    for (int i = 0; i < R; i++, to += kStepWarps * of.valueSize)
      if (warp + i * kStepWarps < of.keySize) store<V>(to, S[i]);
  }
}

/** Sequences of other lengths are left to the sweep. */
template <int K, int V, typename A>
void goOnByOne(cudaStream_t stream, const GatedDelta<A>& of, A* out, float* states, const CarriedStates& carried) {
  const unsigned parts = static_cast<unsigned>(ceilDivide(of.valueSize, kStepColumns<V>));
  const dim3 grid(static_cast<unsigned>(carried.sequences), parts, static_cast<unsigned>(of.heads));
  oneTokenKernel<K, V, A><<<grid, kStepThreads, 0, stream>>>(of, out, states, carried);
}

}  // namespace
}  // namespace anneal::cuda
