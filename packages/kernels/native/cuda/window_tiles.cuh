#pragma once

#include "cuda/warp_product.cuh"
#include "cuda/windows.cuh"

// Windows on tensor cores: of a product of kWindow rows each of a block's warps has 16 rows and half of the columns.

namespace anneal::cuda {

__device__ inline int warpRow() { return static_cast<int>(threadIdx.x) / 32 % 4 * 16; }
__device__ inline int warpHalf() { return static_cast<int>(threadIdx.x) / 128; }

/** Copies a window's rows of a matrix [tokens, stride] to a tile; those beyond the last token become 0. */
template <int kSize>
__device__ void copyRows(char* to, const Bf16* from, int64_t stride, int64_t start, int64_t tokens) {
  copyTile<kWindow, kSize, kWindowThreads>(sharedAddress(to), from, static_cast<int>(stride), static_cast<int>(start),
                                           static_cast<int>(tokens));
}

/** Sums of rows over both halves of the columns, which meet behind a barrier. */
struct RowDots {
  float halves[2][kWindow];

  /** @param dots of a thread's two rows */
  __device__ void put(const float (&dots)[2]) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float sum = joinLanes<4>(dots[h], Sum{});
      if (laneOf() % 4 == 0) halves[warpHalf()][warpRow() + pairRow(h)] = sum;
    }
  }
  __device__ float of(int row) const { return halves[0][row] + halves[1][row]; }
};

/** sums += product, row i times factor(i); dots, of a thread's two rows, += what this gives with the tile `others`. */
template <int kSize, typename Factor>
__device__ void addRows(float (&sums)[kSize / 16][4], float (&dots)[2], const float (&product)[kSize / 16][4], char* others, Factor factor) {
  const int row = warpRow(), column = warpHalf() * kSize / 2;
  const float own[2] = {factor(row + pairRow(0)), factor(row + pairRow(1))};
#pragma unroll
  for (int n = 0; n < kSize / 16; n++)
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float2 other = unpackBf16(pairIn<kSize>(others, row + pairRow(h), column + n * 8 + laneOf() % 4 * 2));
      const float one = own[h] * product[n][2 * h], two = own[h] * product[n][2 * h + 1];
      dots[h] = fmaf(one, other.x, fmaf(two, other.y, dots[h]));
      sums[n][2 * h] += one, sums[n][2 * h + 1] += two;
    }
}

/** For every thread: the sum of the products of the elements of two tiles. */
__device__ inline double dotOfTiles(const char* a, const char* b, int bytes, double* partial) {
  double sum = 0;
  for (int e = static_cast<int>(threadIdx.x); e < bytes / 16; e += kWindowThreads) {
    float x[8], y[8], dot = 0;
    unpackChunk(reinterpret_cast<const uint4*>(a)[e], x);
    unpackChunk(reinterpret_cast<const uint4*>(b)[e], y);
#pragma unroll
    for (int c = 0; c < 8; c++) dot = fmaf(x[c], y[c], dot);
    sum += static_cast<double>(dot);
  }
  return joinBlock<kWindowThreads>(sum, partial, Sum{});
}

}  // namespace anneal::cuda
