#pragma once

#include "mma.cuh"
#include "tiles.h"

// Scores of a warp's 16 rows, as products of wgmma leave them: a thread has parts of rows lane / 4 and lane / 4 + 8.

namespace anneal::cuda {

/** What the rows of a thread, lane / 4 and that + 8 of the warp's, have seen so far. */
struct Softmax {
  float maximum[2] = {-INFINITY, -INFINITY}, total[2] = {};

  /** Scores become weights; `shrink` is what sums so far are multiplied with. */
  template <int kKeys>
  __device__ void update(float (&scores)[kKeys / 8][4], float factor, float (&shrink)[2]) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float highest = maximum[half];
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) highest = fmaxf(highest, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
      highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 1));
      highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 2));
      // The first block holds every row's own key: the maximum is finite.
      const float offset = highest * factor;
      shrink[half] = exp2Fast(maximum[half] * factor - offset);
      maximum[half] = highest;
      float sum = 0;
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; i++) sum += scores[n][i] = exp2Fast(fmaf(scores[n][i], factor, -offset));
      }
      total[half] = total[half] * shrink[half] + sum;
    }
  }
};

template <int kKeys>
__device__ inline void maskScores(float (&scores)[kKeys / 8][4], const Tile& tile, int row, int key, int window) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int r = row + half * 8 + lane / 4, last = r + tile.shift - key - lane % 4 * 2, first = firstKey(tile, r, window) - key - lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
      for (int i = 0; i < 2; i++)
        if (n * 8 + i > last || n * 8 + i < first) scores[n][2 * half + i] = -INFINITY;
    }
  }
}

}  // namespace anneal::cuda
