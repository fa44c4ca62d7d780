#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define ANNEAL_TILE_FUNCTION __host__ __device__ constexpr
#else
#define ANNEAL_TILE_FUNCTION constexpr
#endif

// How tensor core kernels for LoRA's factors divide their work: one operand is a few columns wide, the other is long and is read once.
// src/workspace.ts computes the same sizes.

namespace anneal::cuda {

/** Narrow operands are worked on in slices of so many columns: one step of mma.sync. */
constexpr int kSlice = 16;
/** Tiles of the long operand, and their size in shared memory. */
constexpr int kTileTokens = 128;
constexpr int kTileColumns = 64;
constexpr int kTileBytes = kTileTokens * kTileColumns * 2;
constexpr int kSliceBytes = kTileTokens * kSlice * 2;

/** Two blocks for each multiprocessor of an H100. The same on every GPU, as it decides the order of sums. */
constexpr int kBlocksWanted = 264;
/** Partial sums over the tokens: at most so many, unless few columns ask for more. */
constexpr int kPartsOfLong = 32;

ANNEAL_TILE_FUNCTION int divideUp(int count, int by) { return (count + by - 1) / by; }
ANNEAL_TILE_FUNCTION int smaller(int a, int b) { return a < b ? a : b; }
ANNEAL_TILE_FUNCTION int larger(int a, int b) { return a > b ? a : b; }

/** Parts of the tokens there is room for, where blocks take `regions` of the columns each; it never falls with the number of tokens. */
ANNEAL_TILE_FUNCTION int mostParts(int tokens, int regions) {
  const int tiles = divideUp(tokens, kTileTokens);
  return smaller(tiles, larger(divideUp(kBlocksWanted, regions), smaller(kPartsOfLong, divideUp(tiles, 4))));
}

/** Tiles of tokens in a part; the last one may have fewer, and none is empty. */
ANNEAL_TILE_FUNCTION int tilesOfPart(int tokens, int regions) { return divideUp(divideUp(tokens, kTileTokens), mostParts(tokens, regions)); }

ANNEAL_TILE_FUNCTION int partsOf(int tokens, int regions) { return divideUp(divideUp(tokens, kTileTokens), tilesOfPart(tokens, regions)); }

/** Where 16-byte chunk 0 or 1 of a row of a slice lies in shared memory: eight consecutive rows of one chunk fall into different banks. */
ANNEAL_TILE_FUNCTION uint32_t narrowOffset(int row, int chunk) { return static_cast<uint32_t>(row * 32 + (chunk ^ (row >> 2 & 1)) * 16); }

/** Column of a tile that thread `quad` of four holds as value `value` of n-tile `tile`: eight neighbors over four n-tiles. */
ANNEAL_TILE_FUNCTION int columnOf(int tile, int quad, int value) { return tile / 4 * 32 + quad * 8 + tile % 4 * 2 + value; }

}  // namespace anneal::cuda
