#pragma once

#include "mma.cuh"
#include "swizzle.h"

// A tile [rows, kSize] of bf16 in shared memory, and products of tiles in which a warp owns 16·kM rows of the result.

namespace anneal::cuda {

/** Copies rows begin … begin + kRows - 1 of a matrix with `stride` elements a row, asynchronously; rows from `end` on become zero. */
template <int kRows, int kSize, int kThreads>
__device__ inline void copyTile(uint32_t to, const bf16* from, int stride, int begin, int end) {
  constexpr int kChunks = kSize / 8, kCopies = kRows * kChunks / kThreads;
  static_assert(kRows * kChunks % kThreads == 0, "every thread copies the same number of chunks");
  if constexpr (kThreads % (8 * kChunks) == 0) {
    // A thread's copies are whole groups of eight rows apart: the same chunk and the same swizzle.
    constexpr int kStep = kThreads / kChunks;
    const int row = threadIdx.x / kChunks, chunk = threadIdx.x % kChunks;
    const bf16* source = from + int64_t{begin + row} * stride + chunk * 8;
    const uint32_t target = to + laneOffset<kChunks>(row, chunk);
#pragma unroll
    for (int i = 0; i < kCopies; i++) copyAsync16(target + i * kStep * kSize * 2, source + i * kStep * stride, begin + row + i * kStep < end);
  } else {
#pragma unroll 8  // each has an address of its own in registers
    for (int i = 0; i < kCopies; i++) {
      const int index = i * kThreads + threadIdx.x, row = index / kChunks, chunk = index % kChunks;
      copyAsync16(to + laneOffset<kChunks>(row, chunk), from + int64_t{begin + row} * stride + chunk * 8, begin + row < end);
    }
  }
}

/** Address of what a lane reads of chunks `even` and on; `lane` is the tile plus the lane's offset. */
template <int kSize>
__device__ inline uint32_t chunkAddress(uint32_t lane, int row, int even) {
  return (lane ^ evenBits<kSize / 8>(even)) + evenOffset<kSize / 8>(even) + row * kSize * 2;
}

/** sum[m][n] += rows of `a` from `row` on · (rows of `b`)ᵀ over kInner of kSize from `first`, a multiple of 64: scores of queries and keys. */
template <int kSize, int kM, int kColumns, int kInner = kSize>
__device__ inline void multiplyTransposed(float (&sum)[kM][kColumns / 8][4], uint32_t a, int row, uint32_t b, int first = 0) {
  const int lane = threadIdx.x % 32;
  const uint32_t a_lane = a + first * 2 + laneOffset<kSize / 8>(row + lane % 16, lane / 16);
  const uint32_t b_lane = b + first * 2 + laneOffset<kSize / 8>(lane / 16 * 8 + lane % 8, lane / 8 % 2);
#pragma unroll
  for (int step = 0; step < kInner / 16; step++) {
    uint32_t rows[kM][4];
#pragma unroll
    for (int m = 0; m < kM; m++) loadMatrices(rows[m], chunkAddress<kSize>(a_lane, m * 16, step * 2));
#pragma unroll
    for (int n = 0; n < kColumns / 16; n++) {
      uint32_t columns[4];
      loadMatrices(columns, chunkAddress<kSize>(b_lane, n * 16, step * 2));
#pragma unroll
      for (int m = 0; m < kM; m++) {
        multiply(sum[m][2 * n], rows[m], columns[0], columns[1]);
        multiply(sum[m][2 * n + 1], rows[m], columns[2], columns[3]);
      }
    }
  }
}

/**
 * Two warps with the same rows, of which each has summed over half of the columns: both get the sums of all. Each has a slot of shared memory,
 * which it writes again only after the block has met.
 */
template <int kTiles, int kOther>
__device__ inline void addHalves(float (&sum)[kTiles][4], float (&other)[kOther][4], float4* own, const float4* partner, int barrier) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int n = 0; n < kTiles; n++) own[n * 32 + lane] = make_float4(sum[n][0], sum[n][1], sum[n][2], sum[n][3]);
#pragma unroll
  for (int n = 0; n < kOther; n++) own[(kTiles + n) * 32 + lane] = make_float4(other[n][0], other[n][1], other[n][2], other[n][3]);
  asm volatile("bar.sync %0, 64;" ::"r"(barrier) : "memory");
  const auto add = [&](float (&to)[4], const float4& from) { to[0] += from.x, to[1] += from.y, to[2] += from.z, to[3] += from.w; };
#pragma unroll
  for (int n = 0; n < kTiles; n++) add(sum[n], partner[n * 32 + lane]);
#pragma unroll
  for (int n = 0; n < kOther; n++) add(other[n], partner[(kTiles + n) * 32 + lane]);
}

/**
 * sum[m][n] += weights[m] · b, where the weights are sums of an earlier product, rounded to bf16, and b has kInner rows of kSize, of which
 * kColumns from `column`, a multiple of 64, count.
 */
template <int kSize, int kM, int kInner, int kColumns>
__device__ inline void multiplyWeights(float (&sum)[kM][kColumns / 8][4], const float (&weights)[kM][kInner / 8][4], uint32_t b, int column = 0) {
  const int lane = threadIdx.x % 32;
  const uint32_t b_lane = b + column * 2 + laneOffset<kSize / 8>(lane % 16, lane / 16);
#pragma unroll
  for (int step = 0; step < kInner / 16; step++) {
    uint32_t rows[kM][4];
#pragma unroll
    for (int m = 0; m < kM; m++) {
#pragma unroll
      for (int i = 0; i < 4; i++) rows[m][i] = packBf16(weights[m][2 * step + i / 2][i % 2 * 2], weights[m][2 * step + i / 2][i % 2 * 2 + 1]);
    }
#pragma unroll
    for (int n = 0; n < kColumns / 16; n++) {
      uint32_t columns[4];
      loadMatricesTransposed(columns, chunkAddress<kSize>(b_lane, step * 16, n * 2));
#pragma unroll
      for (int m = 0; m < kM; m++) {
        multiply(sum[m][2 * n], rows[m], columns[0], columns[1]);
        multiply(sum[m][2 * n + 1], rows[m], columns[2], columns[3]);
      }
    }
  }
}

/**
 * Writes a warp's 16·kM rows of sums, row r times factor[r / 16][r / 8 % 2], to rows begin … of a matrix, up to `end`. `scratch`, at a multiple
 * of 128 bytes, has room for them, and no other warp reads it any more.
 */
template <int kSize, int kM>
__device__ inline void storeRows(const float (&sum)[kM][kSize / 8][4], const float (&factor)[kM][2], uint32_t scratch, bf16* to, int stride, int begin,
                                 int end) {
  constexpr int kChunks = kSize / 8;
  const int lane = threadIdx.x % 32;
  __syncwarp();
#pragma unroll
  for (int m = 0; m < kM; m++) {
#pragma unroll
    for (int n = 0; n < kChunks; n++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        const uint32_t pair = packBf16(sum[m][n][2 * half] * factor[m][half], sum[m][n][2 * half + 1] * factor[m][half]);
        const uint32_t address = scratch + swizzled<kChunks>(m * 16 + half * 8 + lane / 4, n) * 16 + lane % 4 * 4;
        asm volatile("st.shared.b32 [%0], %1;" ::"r"(address), "r"(pair) : "memory");
      }
    }
  }
  __syncwarp();
#pragma unroll 4
  for (int index = lane; index < 16 * kM * kChunks; index += 32) {
    const int r = index / kChunks, chunk = index % kChunks;
    if (begin + r >= end) break;
    uint4 value;
    asm volatile("ld.shared.v4.b32 {%0,%1,%2,%3}, [%4];"
                 : "=r"(value.x), "=r"(value.y), "=r"(value.z), "=r"(value.w)
                 : "r"(scratch + swizzled<kChunks>(r, chunk) * 16)
                 : "memory");
    *reinterpret_cast<uint4*>(to + int64_t{begin + r} * stride + chunk * 8) = value;
  }
}

}  // namespace anneal::cuda
