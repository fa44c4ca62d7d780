#pragma once

#include "cuda/narrow_tiles.cuh"
#include "group.h"

// dx_i = alpha · dy_i · weight_i and gradient_i += alpha · dy_iᵀ · x_i. The first kernel reads dy once and forms sums of both over
// what a block sees; the second adds these up, in one order.

namespace anneal::cuda {

struct GroupGradients {
  struct Member {
    const bf16 *dy, *weight;
    float* gradient;
    int columns, stride, firstColumn, firstRegion;  // stride: elements between the rows of dy
  };
  Member members[kMembers];
  const bf16* x;
  bf16* dx;
  int count, tokens, rank;
  float alpha;
  int columns, regions, parts, tilesOfPart;  // of all members
  float* dxSums;        // [rank / kSlice, regions, tokens, kSlice]
  float* gradientSums;  // [rank / kSlice, parts, columns, kSlice]
};

namespace detail {

constexpr int kStages = 3;
constexpr int kWeightBytes = kRegionColumns * kSlice * 2;
constexpr int kGradientSharedBytes = kStages * (kTileBytes + kSliceBytes) + kWeightBytes;
static_assert(kRegionColumns * kSlice * 4 <= kStages * kTileBytes, "the sums of half the warps fit where the tiles were");

__device__ inline int memberOfRegion(const GroupGradients& p, int region) {
  int i = 0;
  while (i + 1 < p.count && region >= p.members[i + 1].firstRegion) i++;
  return i;
}

static __global__ void __launch_bounds__(kTileThreads, 2) groupSumsKernel(const __grid_constant__ GroupGradients p) {
  extern __shared__ __align__(128) char shared[];
  const int region = static_cast<int>(blockIdx.x), part = static_cast<int>(blockIdx.y), slice = static_cast<int>(blockIdx.z);
  const int i = memberOfRegion(p, region);
  const GroupGradients::Member member = p.members[i];
  const int column = (region - member.firstRegion) * kRegionColumns;
  const int tiles = min(kRegionTiles, (member.columns - column) / kTileColumns);
  const int begin = part * p.tilesOfPart, end = min(begin + p.tilesOfPart, divideUp(p.tokens, kTileTokens));
  const int count = (end - begin) * tiles;

  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const uint32_t stages = sharedAddress(shared), inners = stages + kStages * kTileBytes, weights = inners + kStages * kSliceBytes;
  // Tiles are loaded in the order of their use: those of a region one after the other, then the next tokens.
  int nextToken = begin, nextTile = 0;
  const auto loadTile = [&](int stage) {
    copyTile<kTileTokens, kTileColumns, kTileThreads>(stages + stage * kTileBytes, member.dy + column + nextTile * kTileColumns, member.stride,
                                                          nextToken * kTileTokens, p.tokens);
    if (nextTile == 0)
      copyNarrow<kTileTokens>(inners + (nextToken - begin) % kStages * kSliceBytes, p.x + i * p.rank + slice * kSlice, p.count * p.rank,
                              nextToken * kTileTokens, p.tokens);
    if (++nextTile == tiles) nextTile = 0, nextToken++;
  };
  copyNarrow<kRegionColumns>(weights, member.weight + slice * kSlice, p.rank, column, member.columns);
#pragma unroll
  for (int stage = 0; stage < kStages - 1; stage++) {
    if (stage < count) loadTile(stage);
    commitCopies();
  }

  // dx: a warp has 16 tokens. gradient: it has 16 columns of each tile and half of its tokens.
  const int quarter = warp % 4, half = warp / 4;
  const uint32_t tokenRows = laneOffset<kTileColumns / 8>(warp * 16 + lane % 16, lane / 16);
  const uint32_t columnRows = laneOffset<kTileColumns / 8>(half * 64 + lane / 16 * 8 + lane % 8, quarter * 2 + lane / 8 % 2);
  const uint32_t narrowRows = narrowOffset(lane % 16, lane / 16);
  float gradient[kRegionTiles][2][4] = {};
  int now = 0;
  for (int token = begin; token < end; token++) {
    float dx[2][4] = {};
    uint32_t inner[4][4];
#pragma unroll
    for (int tile = 0; tile < kRegionTiles; tile++) {
      if (tile >= tiles) break;
      waitForCopies<kStages - 2>();
      __syncthreads();
      if (now + kStages - 1 < count) loadTile((now + kStages - 1) % kStages);
      commitCopies();
      const uint32_t stage = stages + now % kStages * kTileBytes;
      now++;
#pragma unroll
      for (int step = 0; step < kTileColumns / 16; step++) {
        uint32_t rows[4], columns[4];
        loadMatrices(rows, chunkAddress<kTileColumns>(stage + tokenRows, 0, step * 2));
        loadMatricesTransposed(columns, weights + narrowRows + (tile * kTileColumns + step * 16) * 32);
        multiply(dx[0], rows, columns[0], columns[1]);
        multiply(dx[1], rows, columns[2], columns[3]);
      }
#pragma unroll
      for (int step = 0; step < 4; step++) {
        if (tile == 0) loadMatricesTransposed(inner[step], inners + (token - begin) % kStages * kSliceBytes + narrowRows + (half * 64 + step * 16) * 32);
        uint32_t rows[4];
        loadMatricesTransposed(rows, stage + columnRows + step * 16 * kTileColumns * 2);
        multiply(gradient[tile][0], rows, inner[step][0], inner[step][1]);
        multiply(gradient[tile][1], rows, inner[step][2], inner[step][3]);
      }
    }
#pragma unroll
    for (int below = 0; below < 2; below++) {
      const int t = token * kTileTokens + warp * 16 + lane / 4 + 8 * below;
      if (t >= p.tokens) continue;
      float* to = p.dxSums + ((int64_t{slice} * p.regions + region) * p.tokens + t) * kSlice + lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < 2; n++) *reinterpret_cast<float2*>(to + 8 * n) = make_float2(dx[n][2 * below], dx[n][2 * below + 1]);
    }
  }

  // The halves of the tokens are joined: one half of the warps hands over its sums.
  float4* handed = reinterpret_cast<float4*>(shared) + quarter * 32 + lane;
  __syncthreads();
#pragma unroll
  for (int tile = 0; tile < kRegionTiles; tile++)
#pragma unroll
    for (int n = 0; n < 2; n++) {
      const float(&sum)[4] = gradient[tile][n];
      if (half == 1) handed[(tile * 2 + n) * 128] = make_float4(sum[0], sum[1], sum[2], sum[3]);
    }
  __syncthreads();
  if (half == 1) return;
#pragma unroll
  for (int tile = 0; tile < kRegionTiles; tile++) {
    if (tile >= tiles) break;
    const int64_t first = member.firstColumn + column + tile * kTileColumns + quarter * 16 + lane / 4;
    float* to = p.gradientSums + ((int64_t{slice} * p.parts + part) * p.columns + first) * kSlice + lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < 2; n++) {
      const float4 other = handed[(tile * 2 + n) * 128];
      const float(&sum)[4] = gradient[tile][n];
      *reinterpret_cast<float2*>(to + 8 * n) = make_float2(sum[0] + other.x, sum[1] + other.y);
      *reinterpret_cast<float2*>(to + 8 * kSlice + 8 * n) = make_float2(sum[2] + other.z, sum[3] + other.w);
    }
  }
}

/** Four values a thread: first those of dx, then those of the gradients. */
static __global__ void __launch_bounds__(kTileThreads) joinSumsKernel(const __grid_constant__ GroupGradients p) {
  const int64_t index = int64_t{blockIdx.x} * kTileThreads + threadIdx.x;
  const int vectors = p.count * p.rank / 4;
  float sum[4] = {};
  if (index < int64_t{p.tokens} * vectors) {
    const int token = static_cast<int>(index / vectors), column = static_cast<int>(index % vectors) * 4;
    const int i = column / p.rank, slice = column % p.rank / kSlice;
    const int first = p.members[i].firstRegion, end = i + 1 < p.count ? p.members[i + 1].firstRegion : p.regions;
    addVectors(p.dxSums + ((int64_t{slice} * p.regions + first) * p.tokens + token) * kSlice + column % kSlice, int64_t{p.tokens} * kSlice, end - first, sum);
#pragma unroll
    for (float& value : sum) value *= p.alpha;
    store<4>(p.dx + int64_t{token} * vectors * 4 + column, sum);
    return;
  }
  const int64_t place = (index - int64_t{p.tokens} * vectors) * 4;
  const int row = static_cast<int>(place / p.rank), k = static_cast<int>(place % p.rank);
  if (row >= p.columns) return;
  int i = 0;
  while (i + 1 < p.count && row >= p.members[i + 1].firstColumn) i++;
  addVectors(p.gradientSums + (int64_t{k / kSlice} * p.parts * p.columns + row) * kSlice + k % kSlice, int64_t{p.columns} * kSlice, p.parts, sum);
  float* gradient = p.members[i].gradient + (row - p.members[i].firstColumn) * int64_t{p.rank} + k;
  float total[4];
  load<4>(gradient, total);
#pragma unroll
  for (int j = 0; j < 4; j++) total[j] = fmaf(p.alpha, sum[j], total[j]);
  store<4>(gradient, total);
}

}  // namespace detail

/** Enqueues both kernels; the sums of `p` have room for all parts. */
inline const char* groupGradients(cudaStream_t stream, const GroupGradients& p) {
  using namespace detail;
  const cudaError_t error = cudaFuncSetAttribute(groupSumsKernel, cudaFuncAttributeMaxDynamicSharedMemorySize, kGradientSharedBytes);
  if (error != cudaSuccess) return cudaGetErrorString(error);
  const dim3 grid(static_cast<unsigned>(p.regions), static_cast<unsigned>(p.parts), static_cast<unsigned>(p.rank / kSlice));
  groupSumsKernel<<<grid, kTileThreads, kGradientSharedBytes, stream>>>(p);
  const int64_t vectors = (int64_t{p.tokens} * p.count + p.columns) * (p.rank / 4);
  joinSumsKernel<<<static_cast<unsigned>(ceilDivide(vectors, kTileThreads)), kTileThreads, 0, stream>>>(p);
  return nullptr;
}

}  // namespace anneal::cuda
