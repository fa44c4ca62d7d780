#pragma once

#include "cuda/attention/warp_tile.cuh"
#include "cuda/narrow_tiles.h"
#include "cuda/vectors.cuh"

namespace anneal::cuda {

constexpr int kTileThreads = 256;

/** Copies rows of kSlice columns, asynchronously; rows from `end` on become zero. */
template <int kRows>
__device__ void copyNarrow(uint32_t to, const bf16* from, int stride, int begin, int end) {
#pragma unroll
  for (int index = static_cast<int>(threadIdx.x); index < 2 * kRows; index += kTileThreads) {
    const int row = index / 2, chunk = index % 2;
    copyAsync16(to + narrowOffset(row, chunk), from + (begin + row) * int64_t{stride} + 8 * chunk, begin + row < end);
  }
}

/** Σ of `count` vectors of four, `stride` elements apart, in their order. */
__device__ inline void addVectors(const float* from, int64_t stride, int count, float (&sum)[4]) {
#pragma unroll 8
  for (int i = 0; i < count; i++) {
    float values[4];
    load<4>(from + i * stride, values);
#pragma unroll
    for (int j = 0; j < 4; j++) sum[j] += values[j];
  }
}

}  // namespace anneal::cuda
