#pragma once

#include <cuda_bf16.h>

#include "tiles.h"

// Tiles of 32 × 32 scores in float32, for any head size and type: 256 threads, of which thread (x, y) holds key x and queries y, y + 8, y + 16, y + 24.

namespace anneal::cuda {

constexpr int kPlainTile = 32, kPlainThreads = 256, kPlainRows = kPlainTile * kPlainTile / kPlainThreads;
/** Columns of a result that a block adds up in shared memory; wider heads take several blocks. */
constexpr int kPlainColumns = 256;

/** 32 rows by 32 columns; the odd pitch keeps columns in different banks. */
using PlainTile = float[kPlainTile][kPlainTile + 1];

__device__ inline float toFloat(float x) { return x; }
__device__ inline float toFloat(__nv_bfloat16 x) { return __bfloat162float(x); }
template <typename E>
__device__ inline E fromFloat(float x) {
  if constexpr (sizeof(E) == 2) return __float2bfloat16_rn(x);
  else return x;
}

/** Rows begin … and columns column … of a matrix; zeros from `end` and from `columns` on. */
template <typename E>
__device__ inline void loadPlainTile(PlainTile& to, const E* from, int64_t stride, int begin, int end, int column, int columns) {
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  for (int r = y; r < kPlainTile; r += 8) to[r][x] = begin + r < end && column + x < columns ? toFloat(from[(begin + r) * stride + column + x]) : 0.f;
}

/** sum[p] += row y + 8p of `a` · row x of `b`. */
__device__ inline void addProducts(float (&sum)[kPlainRows], const PlainTile& a, const PlainTile& b) {
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
#pragma unroll 8
  for (int c = 0; c < kPlainTile; c++) {
    const float right = b[x][c];
#pragma unroll
    for (int p = 0; p < kPlainRows; p++) sum[p] = fmaf(a[y + 8 * p][c], right, sum[p]);
  }
}

/** total[r][column + x] = total · keep[r] + Σ weights[j][r] · values[j][x], or weights[r][j] where `rows` says that results are its rows. */
template <bool rows>
__device__ inline void addWeighted(float* total, int column, const float* keep, const PlainTile& weights, const PlainTile& values) {
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  for (int r = y; r < kPlainTile; r += 8) {
    float& cell = total[r * kPlainColumns + column + x];
    float sum = keep ? cell * keep[r] : cell;
#pragma unroll 8
    for (int j = 0; j < kPlainTile; j++) sum = fmaf(rows ? weights[r][j] : weights[j][r], values[j][x], sum);
    cell = sum;
  }
}

/** The score under the shape's soft cap, if it has one, and the cap's slope there. */
__device__ inline float cappedScore(float score, float cap) { return cap == 0 ? score : cap * tanhf(score / cap); }
__device__ inline float capSlope(float capped, float cap) { return cap == 0 ? 1.f : 1.f - capped / cap * (capped / cap); }

/** Reduces over the 32 keys of a query, which are the lanes of a warp. */
__device__ inline float warpMaximum(float x) {
  for (int offset = 16; offset > 0; offset /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, offset));
  return x;
}
__device__ inline float warpSum(float x) {
  for (int offset = 16; offset > 0; offset /= 2) x += __shfl_xor_sync(~0u, x, offset);
  return x;
}

}  // namespace anneal::cuda
