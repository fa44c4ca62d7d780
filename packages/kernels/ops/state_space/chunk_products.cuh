#pragma once

#include <type_traits>

#include "cuda/attention/attention.h"
#include "cuda/window_tiles.cuh"
#include "state_space.cuh"

// The products of windows on tensor cores, for bf16 and heads of kChunkHead with states of kChunkState. States, decays and
// sums are float32; factors of products are rounded.

namespace anneal::cuda {
namespace {

constexpr int kChunkHead = 64, kChunkState = 128;
// In bytes; a head's state is as large as a tile of its tokens.
constexpr int kValueTile = kWindow * kChunkHead * 2, kStateTile = kWindow * kChunkState * 2;

/** Shared memory that the largest of these kernels takes, with what is not dynamic. */
constexpr int kChunkBytes = 130 << 10;

inline bool servesChunks(const StateSpace<Bf16>& of) {
  return of.headSize == kChunkHead && of.stateSize == kChunkState && sharedMemoryLimit() >= kChunkBytes;
}

/** Rounds a state, [kChunkHead, kChunkState], to a tile. */
__device__ inline void roundState(char* to, const float* state) {
#pragma unroll 4
  for (int e = static_cast<int>(threadIdx.x); e < kChunkHead * kChunkState / 8; e += kWindowThreads) {
    float values[8];
    load<8>(state + e * 8, values);
    uint4& chunk = chunkIn<kChunkState>(to, e / (kChunkState / 8), e % (kChunkState / 8));
    chunk = {packBf16(values[0], values[1]), packBf16(values[2], values[3]), packBf16(values[4], values[5]), packBf16(values[6], values[7])};
  }
}

/** As windowStatesKernel. */
__global__ void __launch_bounds__(kWindowThreads) chunkStatesKernel(StateSpace<Bf16> of, Packed packed, const Bf16* dy, WindowStates to) {
  __shared__ __align__(128) char values[kValueTile];
  __shared__ __align__(128) char others[kStateTile];
  __shared__ HeadTokens its;
  const ForwardWindow<Bf16> window(of, blockIdx.x);
  if (window.count == 0) return;
  const int head = static_cast<int>(blockIdx.y), group = head / of.headsOfGroup();
  const int64_t column = int64_t{head} * kChunkHead;
  copyRows<kChunkHead>(values, (dy ? dy : of.xbc) + column, dy ? of.values() : of.columns, window.start, window.end());
  copyRows<kChunkState>(others, of.xbc + (dy ? of.cColumn(group) : of.bColumn(group)), of.columns, window.start, window.end());
  commitCopies();
  its.findDocuments(packed, window.start, window.count);
  __syncthreads();
  its.load(window, head);
  if (threadIdx.x == 0) to.carried[int64_t{blockIdx.x} * of.heads + head] = its.carried();
  waitForCopies();
  __syncthreads();
  for (int e = static_cast<int>(threadIdx.x); e < kWindow * kChunkHead / 2; e += kWindowThreads) {
    const int i = e / (kChunkHead / 2);
    uint32_t& pair = pairIn<kChunkHead>(values, i, e % (kChunkHead / 2) * 2);
    const float2 given = unpackBf16(pair);
    const float factor = dy ? its.fromBefore[i] : its.toNext[i] * its.step[i];
    pair = factor == 0 ? 0 : packBf16(factor * given.x, factor * given.y);
  }
  __syncthreads();
  float sums[kChunkState / 16][4] = {};
  addProduct<kWindow>(sums, ColumnsOf<kChunkHead>(sharedAddress(values), warpRow()),
                      Down<kChunkState>(sharedAddress(others), warpHalf() * kChunkState / 2));
  float* state = to.at(blockIdx.x, head, of.heads) + warpRow() * kChunkState + warpHalf() * kChunkState / 2;
  forPairs(sums, [&](int h, int n, float one, float two) { *reinterpret_cast<float2*>(state + pairRow(h) * kChunkState + n) = make_float2(one, two); });
}

constexpr int kChunkOutputBytes = kValueTile + 2 * kStateTile;

/** As windowOutputsKernel. */
__global__ void __launch_bounds__(kWindowThreads)
    chunkOutputsKernel(StateSpace<Bf16> of, Packed packed, const float* scores, WindowStates states, Bf16* y) {
  extern __shared__ __align__(128) char memory[];
  __shared__ HeadTokens its;
  char *x = memory, *C = x + kValueTile, *S = C + kStateTile;
  const ForwardWindow<Bf16> window(of, blockIdx.x);
  if (window.count == 0) return;
  const int head = static_cast<int>(blockIdx.y), group = head / of.headsOfGroup(), row = warpRow(), half = warpHalf() * kChunkHead / 2;
  const int64_t column = int64_t{head} * kChunkHead;
  copyRows<kChunkHead>(x, of.xbc + column, of.columns, window.start, window.end());
  copyRows<kChunkState>(C, of.xbc + of.cColumn(group), of.columns, window.start, window.end());
  commitCopies();
  its.findDocuments(packed, window.start, window.count);
  __syncthreads();
  const bool hasBefore = its.reachesBack(0);
  if (hasBefore) roundState(S, states.at(blockIdx.x, head, of.heads));
  its.load(window, head);
  waitForCopies();
  __syncthreads();
  float sums[kChunkHead / 16][4] = {};
  if (hasBefore) {
    addProduct<kChunkState>(sums, RowsOf<kChunkState>(sharedAddress(C), row), Across<kChunkState>(sharedAddress(S), half));
    forPairs(sums, [&](int h, int, float& one, float& two) {
      const float factor = its.fromBefore[row + pairRow(h)];
      one *= factor, two *= factor;
    });
  }
  const float* shared = scores + (int64_t{blockIdx.x} * of.groups + group) * kWindow * kWindow;
  addProduct<kWindow>(sums, Computed{[&](int r, int j) { return its.between(row + r, j) * its.step[j] * shared[(row + r) * kWindow + j]; }},
                      Down<kChunkHead>(sharedAddress(x), half));
  forPairs(sums, [&](int h, int c, float one, float two) {
    const int i = row + pairRow(h);
    const float2 own = unpackBf16(pairIn<kChunkHead>(x, i, half + c));
    if (i < window.count)
      *reinterpret_cast<uint32_t*>(y + (window.start + i) * of.values() + column + half + c) =
          packBf16(fmaf(of.skip[head], own.x, one), fmaf(of.skip[head], own.y, two));
  });
}

}  // namespace
}  // namespace anneal::cuda
