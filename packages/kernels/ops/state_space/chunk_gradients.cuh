#pragma once

#include "backward_parts.cuh"
#include "chunk_products.cuh"

namespace anneal::cuda {
namespace {

/** Tiles of a window, and of one of its heads. */
struct GradientTiles {
  char B[kStateTile], C[kStateTile];
  char x[kValueTile], dy[kValueTile];
  char S[kStateTile], dS[kStateTile];
  char P[kWindow * kWindow * 2];
  float pairs[kWindow][kWindow];
};

struct GradientTokens : HeadTokens, WindowSlopes {
  double partial[kWindowThreads / kWarp];
  RowDots ofSteps, ofSkips, ofWritten, ofReads;
};

/** As BackwardWindow, which says what is what. */
struct ChunkWindow : Window<Bf16> {
  const BackwardInputs<Bf16>& in;
  const BackwardResults<Bf16>& to;
  GradientTokens& its;
  GradientTiles& tiles;
  int64_t index;
  bool hasBefore, hasNext;

  __device__ ChunkWindow(const Window<Bf16>& window, const BackwardInputs<Bf16>& in, const BackwardResults<Bf16>& to, GradientTokens& its, GradientTiles& tiles,
                         int64_t index)
      : Window<Bf16>(window), in(in), to(to), its(its), tiles(tiles), index(index), hasBefore(its.reachesBack(0)), hasNext(its.goesOn(kWindow - 1)) {}

  __device__ void read(int head) const {
    copyRows<kChunkHead>(tiles.x, of.xbc + int64_t{head} * kChunkHead, of.columns, start, of.tokens);
    copyRows<kChunkHead>(tiles.dy, in.dy + int64_t{head} * kChunkHead, of.values(), start, of.tokens);
    commitCopies();
    if (hasBefore) roundState(tiles.S, in.states.at(index, head, of.heads));
    if (hasNext) roundState(tiles.dS, in.dstates.at(index, head, of.heads));
    its.load(*this, head);
    waitForCopies();
    __syncthreads();
  }

  /** P, dP = dy·v of the decays between tokens and, over heads, of the scores. */
  __device__ void findScores(const float (&scores)[kWindow / 16][4], float (&dscores)[kWindow / 16][4]) const {
    const int row = warpRow(), first = warpHalf() * kWindow / 2;
    float sums[kWindow / 16][4] = {};
    addProduct<kChunkHead>(sums, RowsOf<kChunkHead>(sharedAddress(tiles.dy), row), Across<kChunkHead>(sharedAddress(tiles.x), first));
#pragma unroll
    for (int n = 0; n < kWindow / 16; n++)
#pragma unroll
      for (int h = 0; h < 2; h++) {
        const int i = row + pairRow(h), column = first + n * 8 + laneOf() % 4 * 2;
        float P[2];
#pragma unroll
        for (int c = 0; c < 2; c++) {
          const int j = column + c, at = 2 * h + c;
          const float decay = its.between(i, j), dP = sums[n][at] * its.step[j];
          P[c] = decay * scores[n][at];
          dscores[n][at] = fmaf(decay, dP, dscores[n][at]);
          tiles.pairs[i][j] = j < i ? dP * P[c] : 0;
        }
        pairIn<kWindow>(tiles.P, i, column) = packBf16(P[0], P[1]);
      }
  }

  /** dx, and what of the gradients of a step, of a skip and of what is left of a token's writing goes through x. */
  __device__ void findValues(int head) const {
    const int row = warpRow(), first = warpHalf() * kChunkHead / 2;
    float dv[kChunkHead / 16][4] = {}, written[2] = {}, steps[2] = {}, skips[2] = {};
    if (hasNext) {
      addProduct<kChunkState>(dv, RowsOf<kChunkState>(sharedAddress(tiles.B), row), Across<kChunkState>(sharedAddress(tiles.dS), first));
      forPairs(dv, [&](int h, int c, float& one, float& two) {
        const int j = row + pairRow(h);
        const float2 x = unpackBf16(pairIn<kChunkHead>(tiles.x, j, first + c));
        one *= its.toNext[j], two *= its.toNext[j];
        written[h] = fmaf(one, its.step[j] * x.x, fmaf(two, its.step[j] * x.y, written[h]));
      });
    }
    addProduct<kWindow>(dv, ColumnsOf<kWindow>(sharedAddress(tiles.P), row), Down<kChunkHead>(sharedAddress(tiles.dy), first));
    forPairs(dv, [&](int h, int c, float one, float two) {
      const int j = row + pairRow(h);
      const float2 x = unpackBf16(pairIn<kChunkHead>(tiles.x, j, first + c)), slope = unpackBf16(pairIn<kChunkHead>(tiles.dy, j, first + c));
      steps[h] = fmaf(one, x.x, fmaf(two, x.y, steps[h]));
      skips[h] = fmaf(slope.x, x.x, fmaf(slope.y, x.y, skips[h]));
      if (j < count)
        *reinterpret_cast<uint32_t*>(to.dxbc + (start + j) * of.columns + int64_t{head} * kChunkHead + first + c) =
            packBf16(fmaf(of.skip[head], slope.x, its.step[j] * one), fmaf(of.skip[head], slope.y, its.step[j] * two));
    });
    its.ofWritten.put(written);
    its.ofSteps.put(steps);
    its.ofSkips.put(skips);
  }

  /** sums += rows of `tile` · state, row i times factor(i). */
  template <typename Factor>
  __device__ void addThrough(float (&sums)[kChunkState / 16][4], float (&dots)[2], const char* tile, const char* state, char* others, Factor factor) const {
    float product[kChunkState / 16][4] = {};
    addProduct<kChunkHead>(product, RowsOf<kChunkHead>(sharedAddress(tile), warpRow()),
                           Down<kChunkState>(sharedAddress(state), warpHalf() * kChunkState / 2));
    addRows<kChunkState>(sums, dots, product, others, factor);
  }

  /** The slope of all decays of the window alike: of the state before it, where that goes on in the state after it. */
  __device__ double findCarried() const {
    const float carried = its.carried();
    return carried == 0 ? 0 : dotOfTiles(tiles.S, tiles.dS, kStateTile, its.partial) * static_cast<double>(carried);
  }

  __device__ void findSteps(int head, double carried) const {
    double sums[3] = {};
    const int i = static_cast<int>(threadIdx.x);
    if (i < count) {
      const double dg = its.ofToken(i, its, carried), ofStep = static_cast<double>(its.ofSteps.of(i));
      const float ddt = static_cast<float>(ofStep + dg * static_cast<double>(of.rate(head))) * sigmoid(of.rawStep(start + i, head));
      to.ddt[(start + i) * of.heads + head] = fromFloat<Bf16>(ddt);
      sums[0] = dg * static_cast<double>(its.g[i]);
      sums[1] = static_cast<double>(ddt);
      sums[2] = static_cast<double>(its.ofSkips.of(i));
    }
#pragma unroll
    for (int which = 0; which < 3; which++) {
      const double sum = joinBlock<kWindowThreads>(sums[which], its.partial, Sum{});
      if (threadIdx.x == 0) to.sums[(index * of.heads + head) * 3 + which] = sum;
    }
  }

  __device__ void addHead(int head, const float (&scores)[kWindow / 16][4], float (&dscores)[kWindow / 16][4], float (&dB)[kChunkState / 16][4],
                          float (&dC)[kChunkState / 16][4]) const {
    read(head);
    findScores(scores, dscores);
    __syncthreads();
    if (threadIdx.x < kWindow) its.findPairs(tiles.pairs);
    findValues(head);
    float written[2] = {}, reads[2] = {};
    if (hasNext) addThrough(dB, written, tiles.x, tiles.dS, tiles.B, [&](int i) { return its.toNext[i] * its.step[i]; });
    if (hasBefore) addThrough(dC, reads, tiles.dy, tiles.S, tiles.C, [&](int i) { return its.fromBefore[i]; });
    its.ofReads.put(reads);
    __syncthreads();
    const double carried = findCarried();
    if (threadIdx.x < kWindow) {
      const int i = static_cast<int>(threadIdx.x);
      its.slopes[i] += static_cast<double>(its.ofReads.of(i));
      its.written[i] = its.ofWritten.of(i);
    }
    __syncthreads();
    findSteps(head, carried);
    __syncthreads();
  }
};

/** As backwardWindowsKernel. */
__global__ void __launch_bounds__(kWindowThreads, 1)
    chunkGradientsKernel(StateSpace<Bf16> of, Packed packed, BackwardInputs<Bf16> in, BackwardResults<Bf16> to, int parts) {
  extern __shared__ __align__(128) char memory[];
  __shared__ GradientTokens its;
  auto& tiles = *reinterpret_cast<GradientTiles*>(memory);
  const int part = static_cast<int>(blockIdx.y), group = static_cast<int>(blockIdx.z), row = warpRow();
  const Window<Bf16> place(of, blockIdx.x);
  its.findDocuments(packed, place.start, place.count);
  copyRows<kChunkState>(tiles.B, of.xbc + of.bColumn(group), of.columns, place.start, of.tokens);
  copyRows<kChunkState>(tiles.C, of.xbc + of.cColumn(group), of.columns, place.start, of.tokens);
  __syncthreads();
  const ChunkWindow window(place, in, to, its, tiles, blockIdx.x);
  const int64_t ofGroup = (int64_t{blockIdx.x} * of.groups + group) * kWindow * kWindow + row * kWindow + warpHalf() * kWindow / 2;
  float scores[kWindow / 16][4], dscores[kWindow / 16][4] = {}, dB[kChunkState / 16][4] = {}, dC[kChunkState / 16][4] = {};
  forPairs(scores, [&](int h, int j, float& one, float& two) {
    const float2 given = *reinterpret_cast<const float2*>(in.scores + ofGroup + pairRow(h) * kWindow + j);
    one = given.x, two = given.y;
  });
#pragma unroll 1
  for (int i = part; i < of.headsOfGroup(); i += parts) window.addHead(group * of.headsOfGroup() + i, scores, dscores, dB, dC);
  float* slopes = to.dscores + int64_t{part} * gridDim.x * of.groups * kWindow * kWindow + ofGroup;
  forPairs(dscores, [&](int h, int j, float one, float two) { *reinterpret_cast<float2*>(slopes + pairRow(h) * kWindow + j) = make_float2(one, two); });
  const auto store = [&](float(&sums)[kChunkState / 16][4], int which) {
    forPairs(sums, [&](int h, int n, float one, float two) {
      const int i = row + pairRow(h);
      if (i >= place.count) return;
      float* at = to.dbc + (((int64_t{part} * of.tokens + place.start + i) * of.groups + group) * 2 + which) * kChunkState;
      *reinterpret_cast<float2*>(at + warpHalf() * kChunkState / 2 + n) = make_float2(one, two);
    });
  };
  store(dB, 0);
  store(dC, 1);
}

}  // namespace
}  // namespace anneal::cuda
