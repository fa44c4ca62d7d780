#pragma once

#include "cuda/attention/warp_tile.cuh"

// Products of bf16 factors with float32 sums in which a warp owns 16 rows of the result. Factors lie in tiles of shared
// memory, [rows, kSize], as a product takes them or with rows and columns exchanged; the left one may be computed.

namespace anneal::cuda {

__device__ inline int laneOf() { return static_cast<int>(threadIdx.x) % 32; }

/** Left factor: rows `row` … `row` + 15 of a tile. */
template <int kSize>
struct RowsOf {
  uint32_t lane;

  __device__ RowsOf(uint32_t tile, int row) : lane(tile + laneOffset<kSize / 8>(row + laneOf() % 16, laneOf() / 16)) {}
  __device__ void load(uint32_t (&r)[4], int step) const { loadMatrices(r, chunkAddress<kSize>(lane, 0, step * 2)); }
};

/** Left factor: columns `column` … `column` + 15 of a tile, as rows. */
template <int kSize>
struct ColumnsOf {
  uint32_t lane;

  __device__ ColumnsOf(uint32_t tile, int column)
      : lane(chunkAddress<kSize>(tile + laneOffset<kSize / 8>(laneOf() % 8 + laneOf() / 16 * 8, laneOf() / 8 % 2), 0, column / 8)) {}
  __device__ void load(uint32_t (&r)[4], int step) const { loadMatricesTransposed(r, lane + step * 16 * kSize * 2); }
};

/** Left factor: element(row, i), row < 16. */
template <typename Element>
struct Computed {
  Element element;

  __device__ void load(uint32_t (&r)[4], int step) const {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = laneOf() / 4 + i % 2 * 8, at = step * 16 + i / 2 * 8 + laneOf() % 4 * 2;
      r[i] = packBf16(element(row, at), element(row, at + 1));
    }
  }
};
template <typename Element>
Computed(Element) -> Computed<Element>;

/** Left factor: sums of an earlier product. */
template <int kTiles>
struct SumsOf {
  const float (&sums)[kTiles][4];

  __device__ void load(uint32_t (&r)[4], int step) const {
#pragma unroll
    for (int i = 0; i < 4; i++) r[i] = packBf16(sums[2 * step + i / 2][i % 2 * 2], sums[2 * step + i / 2][i % 2 * 2 + 1]);
  }
};
template <int kTiles>
SumsOf(const float (&)[kTiles][4]) -> SumsOf<kTiles>;

/** Right factor: columns from `column`, a multiple of 64 or kSize / 2, of a tile whose rows are summed over. */
template <int kSize>
struct Down {
  uint32_t lane;

  __device__ Down(uint32_t tile, int column)
      : lane(chunkAddress<kSize>(tile + laneOffset<kSize / 8>(laneOf() % 16, laneOf() / 16), 0, column / 8)) {}
  __device__ void load(uint32_t (&r)[4], int step, int n) const { loadMatricesTransposed(r, chunkAddress<kSize>(lane, step * 16, n * 2)); }
};

/** Right factor: rows from `row` on of a tile, as columns; the tile's are summed over. `row` is a multiple of 8. */
template <int kSize>
struct Across {
  uint32_t lane;

  __device__ Across(uint32_t tile, int row)
      : lane(tile + laneOffset<kSize / 8>(laneOf() / 16 * 8 + laneOf() % 8, laneOf() / 8 % 2) + row * kSize * 2) {}
  __device__ void load(uint32_t (&r)[4], int step, int n) const { loadMatrices(r, chunkAddress<kSize>(lane, n * 16, step * 2)); }
};

/** sums += left · right, [16, kTiles · 8], over `kInner` elements. */
template <int kInner, int kTiles, typename Left, typename Right>
__device__ void addProduct(float (&sums)[kTiles][4], const Left& left, const Right& right) {
#pragma unroll 4
  for (int step = 0; step < kInner / 16; step++) {
    uint32_t rows[4];
    left.load(rows, step);
#pragma unroll
    for (int n = 0; n < kTiles / 2; n++) {
      uint32_t columns[4];
      right.load(columns, step, n);
      multiply(sums[2 * n], rows, columns[0], columns[1]);
      multiply(sums[2 * n + 1], rows, columns[2], columns[3]);
    }
  }
}

/** The first (half = 0) or second row of a warp's sums that a thread has a part of. */
__device__ inline int pairRow(int half) { return laneOf() / 4 + half * 8; }

/** Calls visit(half, column, first, second) for the pairs of columns that a thread sums, of row pairRow(half). */
template <int kTiles, typename Visit>
__device__ void forPairs(float (&sums)[kTiles][4], Visit visit) {
#pragma unroll
  for (int n = 0; n < kTiles; n++)
#pragma unroll
    for (int half = 0; half < 2; half++) visit(half, n * 8 + laneOf() % 4 * 2, sums[n][2 * half], sums[n][2 * half + 1]);
}

/** Two neighboring elements of a tile, `column` being even. */
template <int kSize>
__device__ inline uint32_t& pairIn(char* tile, int row, int column) {
  return *reinterpret_cast<uint32_t*>(tile + swizzled<kSize / 8>(row, column / 8) * 16 + column % 8 * 2);
}

__device__ inline float2 unpackBf16(uint32_t pair) { return {__uint_as_float(pair << 16), __uint_as_float(pair & 0xffff0000u)}; }

/** Eight neighboring elements of a tile. */
template <int kSize>
__device__ inline uint4& chunkIn(char* tile, int row, int chunk) {
  return *reinterpret_cast<uint4*>(tile + swizzled<kSize / 8>(row, chunk) * 16);
}

__device__ inline void unpackChunk(const uint4& chunk, float (&to)[8]) {
  const uint32_t words[4] = {chunk.x, chunk.y, chunk.z, chunk.w};
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const float2 pair = unpackBf16(words[i]);
    to[2 * i] = pair.x, to[2 * i + 1] = pair.y;
  }
}

}  // namespace anneal::cuda
