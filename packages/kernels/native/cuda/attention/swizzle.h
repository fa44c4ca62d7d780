#pragma once

#include <cstdint>

#include "tiles.h"

namespace anneal::cuda {

/**
 * Where 16-byte chunk `chunk` of row `row` lies in a tile of shared memory, in chunks. Eight consecutive rows of one chunk fall into
 * different banks, as ldmatrix reads them; so do the chunks of one row, as copies write them.
 */
template <int kChunks>
ANNEAL_HOST_DEVICE constexpr int swizzled(int row, int chunk) {
  static_assert(kChunks % 4 == 0, "rows of whole 64 bytes");
  return kChunks % 8 == 0 ? row * kChunks + (chunk ^ (row & 7)) : row * kChunks + (chunk ^ ((row >> 1) & 3));
}

/**
 * The same for a lane that reads chunk `chunk` + `even` of row `row`, in bytes from the start of the tile and in two parts, so that a loop
 * over `even` costs one exclusive or: address(even) = ((tile + laneOffset(row, chunk)) ^ evenBits(even)) + evenOffset(even), with chunk 0 or 1 and tiles
 * that begin at multiples of 128 bytes. Rows further by a multiple of 8 are further by that many times the bytes of a row.
 */
template <int kChunks>
ANNEAL_HOST_DEVICE constexpr uint32_t laneOffset(int row, int chunk) {
  return static_cast<uint32_t>(swizzled<kChunks>(row, chunk)) * 16;
}

template <int kChunks>
ANNEAL_HOST_DEVICE constexpr uint32_t evenBits(int even) {
  return static_cast<uint32_t>(even & (kChunks % 8 == 0 ? 7 : 3)) * 16;
}

template <int kChunks>
ANNEAL_HOST_DEVICE constexpr uint32_t evenOffset(int even) {
  return static_cast<uint32_t>(even) * 16 - evenBits<kChunks>(even);
}

}  // namespace anneal::cuda
