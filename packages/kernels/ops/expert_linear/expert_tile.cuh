#pragma once

#include "cuda/attention/tiles.h"
#include "cuda/elements.cuh"

namespace anneal::cuda {

/** Rows begin … end - 1 of the assignments, all of one expert. Empty where a slot has none. */
struct ExpertTile {
  int expert, begin, end;
};

/** Slots of all tiles of `size` rows there could be: experts own slots as documents do, see tiles.h. */
inline int expertSlots(int rows, int experts, int size) { return slotCount(rows, experts, size); }

/**
 * By the 32 lanes of a warp, of which each looks at another expert. Offsets that do not ascend from 0 to `rows` are reported, and no tile
 * leaves the matrix.
 */
__device__ inline ExpertTile expertTile(int slot, const int32_t* offsets, int experts, int rows, int size, int32_t* fault) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  for (int low = 0, count = experts;;) {
    const int step = (count + 31) / 32, expert = low + min(lane * step, count - 1);
    const int begin = offsets[expert], end = offsets[expert + 1];
    const int found = max(__popc(__ballot_sync(~0u, lane * step < count && firstSlot(begin, expert, size) <= slot)) - 1, 0);
    if (step == 1) {
      const int first = __shfl_sync(~0u, begin, found), last = __shfl_sync(~0u, end, found);
      const bool isInside = ascends(first, last, low + found, experts, rows);
      if (lane == 0 && !isInside) report(fault, Fault::row);
      if (!isInside) return {0, 0, 0};
      const int tile = first + (slot - firstSlot(first, low + found, size)) * size;
      return {low + found, tile, min(tile + size, last)};
    }
    low += found * step, count = min(step, count - found * step);
  }
}

/** One of the products of expert_linear, over the rows of each expert: y = alpha · a · b (+ c). */
struct ExpertProduct {
  Tensor a, b, c, y;
  const int32_t* offsets;
  int experts, rows;
  /** Of an expert's part of the weight. */
  int N, K;
  float alpha;
  int32_t* fault;
};

/** Without `c` and `rows`. @param weight_rows of all experts' weights */
inline ExpertProduct expertProductOf(const Launch& launch, int64_t weight_rows, int64_t K, const Tensor& offsets) {
  const int experts = static_cast<int>(offsets.shape[0] - 1);
  ExpertProduct p{};
  p.a = launch.inputs[0], p.b = launch.inputs[1], p.y = launch.outputs[0];
  p.offsets = offsets.i32(), p.experts = experts;
  p.N = static_cast<int>(weight_rows / experts), p.K = static_cast<int>(K);
  p.alpha = static_cast<float>(launch.attributes[0]), p.fault = contextOf(launch).fault;
  return p;
}

}  // namespace anneal::cuda
