#pragma once

#include "chunk_tokens.cuh"

namespace anneal::cuda {
namespace {

constexpr int kSweepColumns = 64;  // of a state
constexpr int kNarrowBytes = kWindow * kSweepColumns * 2;

/** What a sweep reads of a window, in shared memory. */
template <bool kBackward>
struct SweepStage {
  char reads[kTileBytes];     // W, or X
  char keys[kTileBytes];
  char queries[kBackward ? kTileBytes : 128];
  char changes[kNarrowBytes];  // U, or Y
  TokenFactors factors[kWindow];
  char dout[kBackward ? kNarrowBytes : 128];
};

template <bool kBackward>
struct SweepShared {
  SweepStage<kBackward> stages[2];
  char state[kHead * kSweepColumns * 2];
  char written[kNarrowBytes];
};

/**
 * A block goes through the windows of a document with some columns of a head's state: forward with S and the changes,
 * or backward with dS and their gradients. Each warp has 16 rows of the state as sums of products.
 */
template <bool kBackward>
__global__ void __launch_bounds__(kWindowThreads, 1) sweepKernel(GatedDelta<Bf16> of, Packed packed, const Bf16* dout, ChunkParts parts) {
  extern __shared__ __align__(128) char memory[];
  auto& shared = *reinterpret_cast<SweepShared<kBackward>*>(memory);
  const int document = static_cast<int>(blockIdx.x), head = static_cast<int>(blockIdx.z);
  const int64_t begin = packed.begin(document), end = packed.end(document), stride = of.values();
  if (begin >= end) return;
  const int windows = static_cast<int>((of.tokens + kWindow - 1) / kWindow);
  const int low = static_cast<int>(begin / kWindow), high = static_cast<int>((end - 1) / kWindow), step = kBackward ? -1 : 1;
  if (low == high) return;  // nothing goes from window to window
  const int first = kBackward ? high : low, last = kBackward ? low : high;
  const int64_t column = int64_t{head} * kHead + blockIdx.y * kSweepColumns;
  const int tokens = static_cast<int>(of.tokens);
  Bf16 *changes = (kBackward ? parts.dchanges : parts.changes) + column, *kept = kBackward ? parts.dS : parts.S;
  const auto read = [&](int window, SweepStage<kBackward>& to) {
    const int start = window * kWindow;
    copyRows<kHead>(to.reads, (kBackward ? parts.X : parts.W) + int64_t{head} * kHead, stride, start, tokens);
    copyRows<kHead>(to.keys, of.key(0, of.keyHeadOf(head)), of.columns, start, tokens);
    copyTile<kWindow, kSweepColumns, kWindowThreads>(sharedAddress(to.changes), changes, static_cast<int>(stride), start, tokens);
    if (threadIdx.x < kWindow)
      copyAsync16(sharedAddress(to.factors + threadIdx.x), parts.factors + (int64_t{head} * windows + window) * kWindow + threadIdx.x, true);
    if constexpr (kBackward) {
      copyRows<kHead>(to.queries, of.query(0, of.keyHeadOf(head)), of.columns, start, tokens);
      copyTile<kWindow, kSweepColumns, kWindowThreads>(sharedAddress(to.dout), dout + column, static_cast<int>(stride), start, tokens);
    }
    commitCopies();
  };
  const int warp = static_cast<int>(threadIdx.x) / kWarp, row = warpRow(), part = warpHalf() * kSweepColumns / 2;
  const uint32_t state = sharedAddress(shared.state), written = sharedAddress(shared.written);
  float S[kSweepColumns / 8][4] = {};
  int turn = 0;
  read(first, shared.stages[0]);
  for (int window = first;; window += step, turn ^= 1) {
    SweepStage<kBackward>& stage = shared.stages[turn];
    waitForCopies();
    __syncthreads();
    if (window != last) read(window + step, shared.stages[turn ^ 1]);
    if (window != first) {
      Bf16* to = kept + (int64_t{window} * of.heads + head) * kHead * kHead + blockIdx.y * kSweepColumns;
      for (int e = static_cast<int>(threadIdx.x); e < kHead * kSweepColumns / 8; e += kWindowThreads) {
        const int r = e / (kSweepColumns / 8), chunk = e % (kSweepColumns / 8);
        *reinterpret_cast<uint4*>(to + r * kHead + chunk * 8) = chunkIn<kSweepColumns>(shared.state, r, chunk);
      }
    }
    float sums[kSweepColumns / 16][4] = {};
    if (window != first) addProduct<kHead>(sums, RowsOf<kHead>(sharedAddress(stage.reads), row), Down<kSweepColumns>(state, part));
    float own[2];  // factors of a thread's two rows
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const TokenFactors& factors = stage.factors[row + pairRow(i)];
      own[i] = kBackward ? factors.readKey : factors.write;
    }
    forPairs(sums, [&](int h, int c, float one, float other) {
      uint32_t& pair = pairIn<kSweepColumns>(stage.changes, row + pairRow(h), part + c);
      const float2 given = unpackBf16(pair);
      const float sign = kBackward ? 1.0f : -1.0f, x = fmaf(sign, one, given.x), y = fmaf(sign, other, given.y);
      const float factor = own[h];
      pair = packBf16(x, y);
      // Of other documents' tokens nothing is written, not even what is no number.
      pairIn<kSweepColumns>(shared.written, row + pairRow(h), part + c) = factor == 0 ? 0 : packBf16(factor * x, factor * y);
    });
    if constexpr (kBackward)
      for (int e = static_cast<int>(threadIdx.x); e < kWindow * kSweepColumns / 2; e += kWindowThreads) {
        uint32_t& pair = pairIn<kSweepColumns>(stage.dout, e / (kSweepColumns / 2), e % (kSweepColumns / 2) * 2);
        const float2 given = unpackBf16(pair);
        const float factor = stage.factors[e / (kSweepColumns / 2)].readQuery;
        pair = factor == 0 ? 0 : packBf16(factor * given.x, factor * given.y);
      }
    __syncthreads();
    for (int e = static_cast<int>(threadIdx.x); window != first && e < kWindow * kSweepColumns / 8; e += kWindowThreads) {
      const int r = e / (kSweepColumns / 8), chunk = e % (kSweepColumns / 8);
      const int64_t token = int64_t{window} * kWindow + r;
      if (token >= begin && token < end)
        *reinterpret_cast<uint4*>(changes + token * stride + chunk * 8) = chunkIn<kSweepColumns>(stage.changes, r, chunk);
    }
    if (window == last) return;
    const float carried = stage.factors[0].carried;
#pragma unroll
    for (auto& tile : S)
#pragma unroll
      for (float& value : tile) value *= carried;
    addProduct<kWindow>(S, ColumnsOf<kHead>(sharedAddress(stage.keys), warp * 16), Down<kSweepColumns>(written, 0));
    if constexpr (kBackward)
      addProduct<kWindow>(S, ColumnsOf<kHead>(sharedAddress(stage.queries), warp * 16), Down<kSweepColumns>(sharedAddress(stage.dout), 0));
    forPairs(S, [&](int h, int c, float one, float other) { pairIn<kSweepColumns>(shared.state, warp * 16 + pairRow(h), c) = packBf16(one, other); });
  }
}

}  // namespace
}  // namespace anneal::cuda
