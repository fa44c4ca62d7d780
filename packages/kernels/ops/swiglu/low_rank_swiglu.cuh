#pragma once

#include "cuda/attention/mma.cuh"
#include "cuda/narrow_tiles.h"
#include "cuda/vectors.cuh"
#include "swiglu_values.cuh"

namespace anneal::cuda {

struct LowRankSwiglu {
  const bf16 *x, *low;  // [gate up]; [tokens, 2 · rank]
  const bf16* factors[2];
  const bf16* dy;  // of the backward pass
  bf16* out;       // y, or dx = [dgate dup]
  int tokens, columns, rank;
  float alpha;
};

constexpr int kSwigluThreads = 128;
/** Columns of gate, and of up, that a warp has; it works on them for so many tiles of 16 tokens, the fastest of 1, 2, 4 and 8. */
constexpr int kSwigluColumns = 32;
template <bool kBackward>
constexpr int kSwigluTiles = kBackward ? 1 : 2;

/**
 * swiglu, or its gradient, of gate + alpha · low_0 · factor_0ᵀ and up + alpha · low_1 · factor_1ᵀ: the sums are never written. Columns and
 * the inner sum are ordered as in addProductsKernel.
 */
template <bool kBackward, bool kGelu>
__global__ void __launch_bounds__(kSwigluThreads, 4) lowRankSwigluKernel(const __grid_constant__ LowRankSwiglu p) {
  const int warp = static_cast<int>(threadIdx.x) / 32, lane = static_cast<int>(threadIdx.x) % 32, row = lane / 4, quad = lane % 4;
  const int column = (static_cast<int>(blockIdx.x) * (kSwigluThreads / 32) + warp) * kSwigluColumns;
  if (column >= p.columns) return;
  const int own = column + columnOf(0, quad, 0);
  const int64_t factorRow = (column + columnOf(0, row / 2, row % 2)) * int64_t{p.rank} + 4 * quad;
#pragma unroll 1
  for (int tile = 0; tile < kSwigluTiles<kBackward>; tile++) {
    const int token = (static_cast<int>(blockIdx.y) * kSwigluTiles<kBackward> + tile) * 16 + row;
    const bool isReal[2] = {token < p.tokens, token + 8 < p.tokens};
    uint4 x[2][2] = {}, dy[2] = {};
#pragma unroll
    for (int below = 0; below < 2; below++) {
      if (!isReal[below]) continue;
      const int64_t at = (token + 8 * below) * int64_t{p.columns} + own;
#pragma unroll
      for (int half = 0; half < 2; half++)
        x[below][half] = *reinterpret_cast<const uint4*>(p.x + at + (token + 8 * below + half) * int64_t{p.columns});
      if constexpr (kBackward) dy[below] = *reinterpret_cast<const uint4*>(p.dy + at);
    }
    float sum[2][4][4] = {};
#pragma unroll 1
    for (int first = 0; first < p.rank; first += kSlice) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        uint2 rows[2] = {};
#pragma unroll
        for (int below = 0; below < 2; below++)
          if (isReal[below])
            rows[below] = *reinterpret_cast<const uint2*>(p.low + (token + 8 * below) * int64_t{2 * p.rank} + half * p.rank + first + 4 * quad);
        const uint32_t a[4] = {rows[0].x, rows[1].x, rows[0].y, rows[1].y};
        const bf16* factor = p.factors[half] + factorRow + first;
#pragma unroll
        for (int n = 0; n < 4; n++) {
          const uint2 b = *reinterpret_cast<const uint2*>(factor + columnOf(n, 0, 0) * p.rank);
          multiply(sum[half][n], a, b.x, b.y);
        }
      }
    }
#pragma unroll
    for (int below = 0; below < 2; below++) {
      if (!isReal[below]) continue;
      float gate[8], up[8];
      load<8>(reinterpret_cast<const bf16*>(&x[below][0]), gate);
      load<8>(reinterpret_cast<const bf16*>(&x[below][1]), up);
#pragma unroll
      for (int j = 0; j < 8; j++) {
        gate[j] = fmaf(p.alpha, sum[0][j / 2][2 * below + j % 2], gate[j]);
        up[j] = fmaf(p.alpha, sum[1][j / 2][2 * below + j % 2], up[j]);
      }
      const int64_t at = (token + 8 * below) * int64_t{p.columns} + own;
      if constexpr (kBackward) {
        float d[8];
        load<8>(reinterpret_cast<const bf16*>(&dy[below]), d);
        swigluSlopes<kGelu>(d, gate, up);
        bf16* to = p.out + at + (token + 8 * below) * int64_t{p.columns};
        store<8>(to, gate);
        store<8>(to + p.columns, up);
      } else {
        swigluOf<kGelu>(gate, up);
        store<8>(p.out + at, up);
      }
    }
  }
}

/** rank: whole slices; columns: whole warps'. */
template <bool kBackward, bool kGelu>
void lowRankSwiglu(cudaStream_t stream, const LowRankSwiglu& p) {
  const dim3 grid(static_cast<unsigned>(divideUp(p.columns, kSwigluThreads / 32 * kSwigluColumns)),
                  static_cast<unsigned>(divideUp(p.tokens, 16 * kSwigluTiles<kBackward>)));
  lowRankSwigluKernel<kBackward, kGelu><<<grid, kSwigluThreads, 0, stream>>>(p);
}

}  // namespace anneal::cuda
