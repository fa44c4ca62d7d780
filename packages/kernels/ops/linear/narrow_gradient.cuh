#pragma once

#include "cuda/narrow_tiles.cuh"

// gradient += alpha · dyᵀ · x where dy is a few columns wide: what LoRA's A is trained by. The first kernel reads x once and leaves a
// sum for each part of the tokens, the second adds these up, in one order.

namespace anneal::cuda {

struct NarrowGradient {
  const bf16 *dy, *x;
  float* gradient;
  int tokens, rows, columns;  // of the gradient: dy and x have so many columns
  float alpha;
  int parts, tilesOfPart;
  float* sums;  // [parts, rows, columns]
};

constexpr int kMostNarrowRows = 4 * kSlice;

namespace detail {

constexpr int kNarrowStages = 3;

template <int kSlices>
constexpr int kNarrowSharedBytes = kNarrowStages * (kTileBytes + kSlices * kSliceBytes);

template <int kSlices>
__global__ void __launch_bounds__(kTileThreads, 2) narrowSumsKernel(const __grid_constant__ NarrowGradient p) {
  extern __shared__ __align__(128) char shared[];
  const int column = static_cast<int>(blockIdx.x) * kTileColumns, part = static_cast<int>(blockIdx.y);
  const int begin = part * p.tilesOfPart, end = min(begin + p.tilesOfPart, divideUp(p.tokens, kTileTokens));
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32;
  const uint32_t stages = sharedAddress(shared), slices = stages + kNarrowStages * kTileBytes;
  const auto loadTile = [&](int tile) {
    const int stage = (tile - begin) % kNarrowStages;
    copyTile<kTileTokens, kTileColumns, kTileThreads>(stages + stage * kTileBytes, p.x + column, p.columns, tile * kTileTokens, p.tokens);
#pragma unroll
    for (int slice = 0; slice < kSlices; slice++)
      copyNarrow<kTileTokens>(slices + (stage * kSlices + slice) * kSliceBytes, p.dy + slice * kSlice, p.rows, tile * kTileTokens, p.tokens);
  };
#pragma unroll
  for (int ahead = 0; ahead < kNarrowStages - 1; ahead++) {
    if (begin + ahead < end) loadTile(begin + ahead);
    commitCopies();
  }

  // A warp has 16 columns of x and half of the tokens of each tile.
  const int quarter = warp % 4, half = warp / 4;
  const uint32_t columnRows = laneOffset<kTileColumns / 8>(half * 64 + lane / 16 * 8 + lane % 8, quarter * 2 + lane / 8 % 2);
  const uint32_t narrowRows = narrowOffset(lane % 16, lane / 16) + half * 64 * 32;
  float sum[kSlices][2][4] = {};
  for (int tile = begin; tile < end; tile++) {
    waitForCopies<kNarrowStages - 2>();
    __syncthreads();
    if (tile + kNarrowStages - 1 < end) loadTile(tile + kNarrowStages - 1);
    commitCopies();
    const int stage = (tile - begin) % kNarrowStages;
#pragma unroll
    for (int step = 0; step < 4; step++) {
      uint32_t rows[4];
      loadMatricesTransposed(rows, stages + stage * kTileBytes + columnRows + step * 16 * kTileColumns * 2);
#pragma unroll
      for (int slice = 0; slice < kSlices; slice++) {
        uint32_t columns[4];
        loadMatricesTransposed(columns, slices + (stage * kSlices + slice) * kSliceBytes + narrowRows + step * 16 * 32);
        multiply(sum[slice][0], rows, columns[0], columns[1]);
        multiply(sum[slice][1], rows, columns[2], columns[3]);
      }
    }
  }

  // The halves of the tokens are joined: one half of the warps hands over its sums.
  float4* handed = reinterpret_cast<float4*>(shared) + quarter * 32 + lane;
  __syncthreads();
#pragma unroll
  for (int slice = 0; slice < kSlices; slice++)
#pragma unroll
    for (int n = 0; n < 2; n++) {
      const float(&own)[4] = sum[slice][n];
      if (half == 1) handed[(slice * 2 + n) * 128] = make_float4(own[0], own[1], own[2], own[3]);
    }
  __syncthreads();
  if (half == 1) return;
#pragma unroll
  for (int slice = 0; slice < kSlices; slice++) {
#pragma unroll
    for (int n = 0; n < 2; n++) {
      const float4 other = handed[(slice * 2 + n) * 128];
      const float(&own)[4] = sum[slice][n];
      const int row = slice * kSlice + n * 8 + lane % 4 * 2;
      float* to = p.sums + (int64_t{part} * p.rows + row) * p.columns + column + quarter * 16 + lane / 4;
      to[0] = own[0] + other.x;
      to[p.columns] = own[1] + other.y;
      to[8] = own[2] + other.z;
      to[p.columns + 8] = own[3] + other.w;
    }
  }
}

/** Four values a thread. */
static __global__ void __launch_bounds__(kTileThreads) joinNarrowSumsKernel(const __grid_constant__ NarrowGradient p) {
  const int64_t place = (int64_t{blockIdx.x} * kTileThreads + threadIdx.x) * 4, count = int64_t{p.rows} * p.columns;
  if (place >= count) return;
  float sum[4] = {}, total[4];
  addVectors(p.sums + place, count, p.parts, sum);
  load<4>(p.gradient + place, total);
#pragma unroll
  for (int j = 0; j < 4; j++) total[j] = fmaf(p.alpha, sum[j], total[j]);
  store<4>(p.gradient + place, total);
}

}  // namespace detail

/** Enqueues both kernels. rows: whole slices, at most kMostNarrowRows; columns: whole tiles. */
inline const char* narrowGradient(cudaStream_t stream, const NarrowGradient& p) {
  using namespace detail;
  const auto launch = [&](auto kernel, int bytes) -> const char* {
    const cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes);
    if (error != cudaSuccess) return cudaGetErrorString(error);
    kernel<<<dim3(static_cast<unsigned>(p.columns / kTileColumns), static_cast<unsigned>(p.parts)), kTileThreads, bytes, stream>>>(p);
    joinNarrowSumsKernel<<<static_cast<unsigned>(divideUp(p.rows * p.columns, 4 * kTileThreads)), kTileThreads, 0, stream>>>(p);
    return nullptr;
  };
  switch (p.rows / kSlice) {
    case 1:
      return launch(narrowSumsKernel<1>, kNarrowSharedBytes<1>);
    case 2:
      return launch(narrowSumsKernel<2>, kNarrowSharedBytes<2>);
    case 3:
      return launch(narrowSumsKernel<3>, kNarrowSharedBytes<3>);
    default:
      return launch(narrowSumsKernel<4>, kNarrowSharedBytes<4>);
  }
}

}  // namespace anneal::cuda
