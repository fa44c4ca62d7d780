#pragma once

#include "expert_tile.cuh"
#include "nf4_rows.cuh"

namespace anneal::cuda {

/** Most rows of a tile, and what its rows are rounded up to. */
constexpr int kWideRows = 256, kWideStep = 64;
constexpr int kMostWideExperts = 512;
/**
 * With more rows an expert, decoding a weight once and reading it in bf16 is faster than decoding it for every tile. On an H100, forward, of [1536,
 * 2048] each: 0.57 ms against 0.80 for 256 rows of each of 128 experts, 0.56 against 0.56 for 512 of 64, 1.2 against 0.84 for 1,024.
 */
constexpr int kMostRowsOfCodes = 384;

/** Rows begin … begin + rows - 1 of one expert by columns from `column` on. */
struct WideTile {
  int expert, begin, rows, column;
};

inline int wideTableBytes(int experts) { return 2 * (experts + 1) * static_cast<int>(sizeof(int32_t)); }

/**
 * The tiles of all experts as one list, counted on the device: those of an expert lie beside each other, of them those of the same rows, so that
 * blocks which work at the same time read the same rows and the same weights.
 */
struct WideTiles {
  /** Of wideTableBytes: each expert's first tile and first row, then the numbers of all. */
  int32_t* table;
  int experts, columns, width;

  __device__ int count() const { return table[experts]; }

  /** By one warp. Offsets that do not ascend from 0 to `rows` are reported, and there are no tiles. */
  __device__ void prepare(const int32_t* offsets, int rows, int32_t* fault) const {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    int total = 0;
    bool areInside = true;
    for (int first = 0; first < experts; first += 32) {
      const int expert = first + lane, begin = expert < experts ? offsets[expert] : 0, end = expert < experts ? offsets[expert + 1] : 0;
      areInside &= static_cast<bool>(__all_sync(~0u, expert >= experts || ascends(begin, end, expert, experts, rows)));
      const int own = areInside ? (end - begin + kWideRows - 1) / kWideRows * columns : 0;
      int sum = own;
      for (int distance = 1; distance < 32; distance *= 2) {
        const int before = __shfl_up_sync(~0u, sum, distance);
        if (lane >= distance) sum += before;
      }
      if (expert < experts) table[expert] = total + sum - own, table[experts + 1 + expert] = begin;
      if (expert == experts - 1) table[2 * experts + 1] = end;
      total += __shfl_sync(~0u, sum, 31);
    }
    if (lane == 0) table[experts] = areInside ? total : 0;
    if (lane == 0 && !areInside) report(fault, Fault::row);
  }

  /** By all lanes of a warp. */
  __device__ WideTile at(int index) const {
    const int lane = static_cast<int>(threadIdx.x) % 32;
    int next = 0;
    for (int first = 0; first < experts; first += 32)
      next += __popc(__ballot_sync(~0u, first + lane < experts && table[first + lane] <= index));
    const int32_t* rows = table + experts + 1;
    const int expert = next - 1, place = index - table[expert], begin = rows[expert] + place / columns * kWideRows;
    return {expert, begin, min(kWideRows, rows[expert + 1] - begin), place % columns * width};
  }
};

/** By wgmma and TMA: y[row] = a[row] · weight_eᵀ, or with `plain` a[row] · weight_e. The weight is p.b, or with `nf4` that. */
bool servesWideTiles(const ExpertProduct& product, bool nf4);
const char* wideExpertProduct(const ExpertProduct& product, const Nf4Blocks* nf4, bool plain, int multiprocessors, cudaStream_t stream);

}  // namespace anneal::cuda
