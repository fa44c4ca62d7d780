#pragma once

#include "cuda/attention/mma.cuh"
#include "cuda/vectors.cuh"
#include "group.h"

namespace anneal::cuda {

struct AddProducts {
  struct Member {
    const bf16 *weight, *c;
    bf16* y;
    int stride, firstTile;  // elements between the rows of c and y; among the tiles of all members
  };
  Member members[kMembers];
  const bf16* x;
  int count, tokens, rank;
  float alpha;
};

constexpr int kAddThreads = 128;
/** Tokens of a block: 16 a warp. */
constexpr int kAddTokens = kAddThreads / 32 * 16;

/**
 * y = c + alpha · x_i · weight_iᵀ: a warp has 16 tokens and 64 columns of one member, reads c once and writes y once. Which
 * columns of the weight form an n-tile is chosen so that a thread's values lie beside each other, and the order of the inner
 * sum so that its operands do.
 */
static __global__ void __launch_bounds__(kAddThreads, 5) addProductsKernel(const __grid_constant__ AddProducts p) {
  const int tile = static_cast<int>(blockIdx.x);
  int i = 0;
  while (i + 1 < p.count && tile >= p.members[i + 1].firstTile) i++;
  const AddProducts::Member member = p.members[i];
  const int column = (tile - member.firstTile) * kTileColumns, width = p.count * p.rank;
  const int lane = static_cast<int>(threadIdx.x) % 32, row = lane / 4, quad = lane % 4;
  const int token = static_cast<int>(blockIdx.y) * kAddTokens + static_cast<int>(threadIdx.x) / 32 * 16 + row;
  const bool isReal[2] = {token < p.tokens, token + 8 < p.tokens};

  uint4 c[2][2] = {};
#pragma unroll
  for (int below = 0; below < 2; below++)
#pragma unroll
    for (int half = 0; half < 2; half++)
      if (isReal[below])
        c[below][half] = *reinterpret_cast<const uint4*>(member.c + (token + 8 * below) * int64_t{member.stride} + column + columnOf(4 * half, quad, 0));

  float sum[8][4] = {};
  const bf16* weight = member.weight + (column + columnOf(0, row / 2, row % 2)) * int64_t{p.rank} + 4 * quad;
  const bf16* x = p.x + token * int64_t{width} + i * p.rank + 4 * quad;
#pragma unroll 1
  for (int first = 0; first < p.rank; first += kSlice) {
    uint2 rows[2] = {};
#pragma unroll
    for (int below = 0; below < 2; below++)
      if (isReal[below]) rows[below] = *reinterpret_cast<const uint2*>(x + 8 * below * width + first);
    const uint32_t a[4] = {rows[0].x, rows[1].x, rows[0].y, rows[1].y};
#pragma unroll
    for (int n = 0; n < 8; n++) {
      const uint2 b = *reinterpret_cast<const uint2*>(weight + columnOf(n, 0, 0) * p.rank + first);
      multiply(sum[n], a, b.x, b.y);
    }
  }

#pragma unroll
  for (int below = 0; below < 2; below++) {
    if (!isReal[below]) continue;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float y[8];
      load<8>(reinterpret_cast<const bf16*>(&c[below][half]), y);
#pragma unroll
      for (int j = 0; j < 8; j++) y[j] = fmaf(p.alpha, sum[4 * half + j / 2][2 * below + j % 2], y[j]);
      store<8>(member.y + (token + 8 * below) * int64_t{member.stride} + column + columnOf(4 * half, quad, 0), y);
    }
  }
}

}  // namespace anneal::cuda
