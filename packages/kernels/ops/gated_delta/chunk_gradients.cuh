#pragma once

#include "chunk_tokens.cuh"

namespace anneal::cuda {
namespace {

struct ChunkGradients {
  Bf16 *dqkv, *da, *db;
  double* sums;  // [windows, heads, 2]: of the gradients of decay and shift
};

struct GradientTokens : ChunkTokens, WindowSlopes {
  double partial[kWindowThreads / kWarp];
  float dbeta[kWindow];
  RowDots slopeDots, writtenDots;
};

/** Tiles of a window, and of one of its heads. What tokens do to each other takes the place of S. */
struct GradientTiles {
  char queries[kTileBytes], keys[kTileBytes];
  char dout[kTileBytes], dchanges[kTileBytes], changes[kTileBytes];
  union {
    char S[kStateBytes];
    struct {
      float pairs[kWindow][kWindow];
      char dP[kTileBytes / 2], dL[kTileBytes / 2];
    };
  };
  char dS[kStateBytes];
};

/**
 * The gradients of a window by dout, the changes, their gradients and the states at both ends: as window_gradients.cuh.
 * Gradients of queries and keys are summed with the factor that brings these to their length.
 */
struct GradientWindow {
  const GatedDelta<Bf16>& of;
  const Bf16* dout;
  const ChunkParts& parts;
  const ChunkGradients& to;
  GradientTokens& its;
  GradientTiles& tiles;
  int64_t window, start;
  int count;
  bool hasBefore, hasNext;

  /** What a head has and its S does not. */
  __device__ void readHead(int head) const {
    const int64_t column = int64_t{head} * kHead;
    copyRows<kHead>(tiles.dout, dout + column, of.values(), start, of.tokens);
    copyRows<kHead>(tiles.dchanges, parts.dchanges + column, of.values(), start, of.tokens);
    copyRows<kHead>(tiles.changes, parts.changes + column, of.values(), start, of.tokens);
    if (hasNext) copyState(sharedAddress(tiles.dS), parts.dS, window, of.heads, head);
  }

  __device__ void storeValues(int head) const {
    for (int e = static_cast<int>(threadIdx.x); e < kWindow * kHead / 8; e += kWindowThreads) {
      const int i = e / (kHead / 8), chunk = e % (kHead / 8);
      if (i >= count) continue;
      float values[8];
      unpackChunk(chunkIn<kHead>(tiles.dchanges, i, chunk), values);
#pragma unroll
      for (float& value : values) value *= its.beta[i];
      store<8>(to.dqkv + (start + i) * of.columns + of.valueColumn(head) + chunk * 8, values);
    }
  }

  /** The slope of all decays of the window alike: of the state before it, where that goes on in the state after it. */
  __device__ double findCarried() const {
    const float carried = its.carried();
    return carried == 0 ? 0 : dotOfTiles(tiles.S, tiles.dS, kStateBytes, its.partial) * static_cast<double>(carried);
  }

  /** sums += rows of `tile` · states, row i times factor(i). */
  template <typename Factor>
  __device__ void addThrough(float (&sums)[kHalf / 8][4], float (&dots)[2], const char* tile, const char* states, char* others, Factor factor) const {
    float product[kHalf / 8][4] = {};
    addProduct<kHead>(product, RowsOf<kHead>(sharedAddress(tile), warpRow()), Across<kHead>(sharedAddress(states), warpHalf() * kHalf));
    addRows<kHead>(sums, dots, product, others, factor);
  }

  __device__ void addHead(int head, float (&dq)[kHalf / 8][4], float (&dk)[kHalf / 8][4], bool isFirst, bool isLast) const {
    const int row = warpRow(), pairColumn = warpHalf() * kWindow / 2;
    const uint32_t queries = sharedAddress(tiles.queries), keys = sharedAddress(tiles.keys), changes = sharedAddress(tiles.changes);
    its.findHead(of, start, count, head);
    waitForCopies();
    __syncthreads();
    if (isFirst) its.findScales(of, tiles.queries, tiles.keys);
    __syncthreads();
    storeValues(head);
    const double carried = findCarried();
    float ofOut[kWindow / 16][4] = {}, ofChange[kWindow / 16][4] = {};
    addProduct<kHead>(ofOut, RowsOf<kHead>(sharedAddress(tiles.dout), row), Across<kHead>(changes, pairColumn));
    addProduct<kHead>(ofChange, RowsOf<kHead>(sharedAddress(tiles.dchanges), row), Across<kHead>(changes, pairColumn));
    float slopes[2] = {}, written[2] = {};
    if (hasBefore) {
      addThrough(dq, slopes, tiles.dout, tiles.S, tiles.queries, [&](int i) { return its.fromBefore[i] * its.queryScale[i]; });
      addThrough(dk, slopes, tiles.dchanges, tiles.S, tiles.keys, [&](int i) { return -its.beta[i] * its.fromBefore[i] * its.keyScale[i]; });
    }
    if (hasNext) addThrough(dk, written, tiles.changes, tiles.dS, tiles.keys, [&](int i) { return its.toNext[i] * its.keyScale[i]; });
    its.slopeDots.put(slopes);
    its.writtenDots.put(written);
    __syncthreads();
    if (!isLast) readHead(head + 1);
    commitCopies();
    findPairs(ofOut, ofChange);
    const uint32_t dP = sharedAddress(tiles.dP), dL = sharedAddress(tiles.dL);
    const int column = warpHalf() * kHalf;
    addProduct<kWindow>(dq, RowsOf<kWindow>(dP, row), Down<kHead>(keys, column));
    addProduct<kWindow>(dk, RowsOf<kWindow>(dL, row), Down<kHead>(keys, column));
    addProduct<kWindow>(dk, ColumnsOf<kWindow>(dL, row), Down<kHead>(keys, column));
    addProduct<kWindow>(dk, ColumnsOf<kWindow>(dP, row), Down<kHead>(queries, column));
    __syncthreads();
    if (!isLast && hasBefore) copyState(sharedAddress(tiles.S), parts.S, window, of.heads, head + 1);
    commitCopies();
    findGates(head, carried);
    __syncthreads();
  }

  /** dP and dL as factors, and the slopes of the sums of g. */
  __device__ void findPairs(const float (&ofOut)[kWindow / 16][4], const float (&ofChange)[kWindow / 16][4]) const {
    const int row = warpRow(), pairColumn = warpHalf() * kWindow / 2;
    const uint32_t queries = sharedAddress(tiles.queries), keys = sharedAddress(tiles.keys);
    float qk[kWindow / 16][4] = {}, kk[kWindow / 16][4] = {};
    addProduct<kHead>(qk, RowsOf<kHead>(queries, row), Across<kHead>(keys, pairColumn));
    addProduct<kHead>(kk, RowsOf<kHead>(keys, row), Across<kHead>(keys, pairColumn));
#pragma unroll
    for (int n = 0; n < kWindow / 16; n++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int i = row + pairRow(h), column = pairColumn + n * 8 + laneOf() % 4 * 2;
        float out[2], change[2];
#pragma unroll
        for (int c = 0; c < 2; c++) {
          const int j = column + c, at = 2 * h + c;
          const float decay = its.between(i, j) * its.keyScale[j];
          out[c] = decay * its.queryScale[i] * ofOut[n][at];
          change[c] = j < i ? -its.beta[i] * decay * its.keyScale[i] * ofChange[n][at] : 0;
          tiles.pairs[i][j] = j < i ? out[c] * qk[n][at] + change[c] * kk[n][at] : 0;
          if (i == j) its.dbeta[i] = ofChange[n][at];
        }
        pairIn<kWindow>(tiles.dP, i, column) = packBf16(out[0], out[1]);
        pairIn<kWindow>(tiles.dL, i, column) = packBf16(change[0], change[1]);
      }
    __syncthreads();
    its.WindowSlopes::findPairs(tiles.pairs);
    if (threadIdx.x < kWindow) {
      const int i = static_cast<int>(threadIdx.x);
      its.slopes[i] += static_cast<double>(its.slopeDots.of(i));
      its.written[i] = its.writtenDots.of(i);
    }
  }

  __device__ void findGates(int head, double carried) const {
    double decay = 0, shift = 0;
    const int i = static_cast<int>(threadIdx.x);
    if (i < count) {
      const double dg = its.ofToken(i, its, carried);
      const float da = static_cast<float>(dg) * -expf(of.decay[head]) * sigmoid(of.gate(start + i, head));
      to.da[(start + i) * of.heads + head] = fromFloat<Bf16>(da);
      to.db[(start + i) * of.heads + head] = fromFloat<Bf16>(its.dbeta[i] * (1.0f - its.beta[i]));
      decay = dg * static_cast<double>(its.g[i]);
      shift = static_cast<double>(da);
    }
    decay = joinBlock<kWindowThreads>(decay, its.partial, Sum{});
    shift = joinBlock<kWindowThreads>(shift, its.partial, Sum{});
    double* sums = to.sums + (window * of.heads + head) * 2;
    if (threadIdx.x == 0) sums[0] = decay, sums[1] = shift;
  }

  /** From scale times the gradients of scale · x, scale about 1 / |x|, to those of x. @param rest 1 / |x|² of a row */
  template <typename Rest>
  __device__ void undoLengths(float (&dx)[kHalf / 8][4], char* x, int64_t column, Rest rest) const {
    const int row = warpRow(), first = warpHalf() * kHalf;
    float dots[2] = {};
    forPairs(dx, [&](int h, int c, float one, float two) {
      const float2 own = unpackBf16(pairIn<kHead>(x, row + pairRow(h), first + c));
      dots[h] = fmaf(one, own.x, fmaf(two, own.y, dots[h]));
    });
    its.slopeDots.put(dots);
    __syncthreads();
    float along[2];
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const int i = row + pairRow(h);
      along[h] = its.slopeDots.of(i) * rest(i);
    }
    forPairs(dx, [&](int h, int c, float& one, float& two) {
      const float2 own = unpackBf16(pairIn<kHead>(x, row + pairRow(h), first + c));
      one -= along[h] * own.x, two -= along[h] * own.y;
    });
    __syncthreads();
    storeHalf(dx, sharedAddress(tiles.dout), to.dqkv, of.columns, column, start, of.tokens);
  }
};

/** A block a window of a key head: the heads that share it add up in their order. */
__global__ void __launch_bounds__(kWindowThreads, 1)
    gradientsKernel(GatedDelta<Bf16> of, Packed packed, const Bf16* dout, ChunkParts parts, ChunkGradients to) {
  extern __shared__ __align__(128) char memory[];
  __shared__ GradientTokens its;
  auto& tiles = *reinterpret_cast<GradientTiles*>(memory);
  const int64_t start = int64_t{blockIdx.x} * kWindow, queryColumn = int64_t{blockIdx.y} * kHead;
  const int64_t keyColumn = int64_t{of.keyHeads} * kHead + queryColumn;
  const int keyHead = static_cast<int>(blockIdx.y), count = static_cast<int>(min(of.tokens - start, int64_t{kWindow}));
  its.findDocuments(packed, start, count);
  copyRows<kHead>(tiles.queries, of.qkv + queryColumn, of.columns, start, of.tokens);
  copyRows<kHead>(tiles.keys, of.qkv + keyColumn, of.columns, start, of.tokens);
  __syncthreads();
  const GradientWindow window{of, dout, parts, to, its, tiles, blockIdx.x, start, count, its.reachesBack(0), its.goesOn(kWindow - 1)};
  const int group = of.heads / of.keyHeads, first = keyHead * group, last = first + group - 1;
  window.readHead(first);
  if (window.hasBefore) copyState(sharedAddress(tiles.S), parts.S, blockIdx.x, of.heads, first);
  commitCopies();
  float dq[kHalf / 8][4] = {}, dk[kHalf / 8][4] = {};
#pragma unroll 1
  for (int head = first; head <= last; head++) window.addHead(head, dq, dk, head == first, head == last);
  window.undoLengths(dq, tiles.queries, queryColumn, [&](int i) { return its.queryScale[i] * its.queryScale[i] * static_cast<float>(kHead); });
  window.undoLengths(dk, tiles.keys, keyColumn, [&](int i) { return its.keyScale[i] * its.keyScale[i]; });
}

}  // namespace
}  // namespace anneal::cuda
