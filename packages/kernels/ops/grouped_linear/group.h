#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define ANNEAL_GROUP_FUNCTION __host__ __device__ constexpr
#else
#define ANNEAL_GROUP_FUNCTION constexpr
#endif

// How the tensor core kernels of grouped_linear divide their work; op.ts computes the same sizes.

namespace anneal::cuda {

constexpr int kMembers = 3;
/** Ranks are worked on in slices of this many: one step of mma.sync. */
constexpr int kSlice = 16;
/** Columns of a member come in tiles of this many. */
constexpr int kTileColumns = 64;

// The backward pass: a block sums over a region of columns of one member and a part of the tokens.
constexpr int kTileTokens = 128;
constexpr int kRegionTiles = 4;
constexpr int kRegionColumns = kRegionTiles * kTileColumns;
/** Two blocks for each multiprocessor of an H100. The same on every GPU, as it decides the order of sums. */
constexpr int kBlocksWanted = 264;
/** Partial sums of the gradient over the tokens: at most so many, unless few columns ask for more. */
constexpr int kPartsOfLong = 32;

ANNEAL_GROUP_FUNCTION int divideUp(int count, int by) { return (count + by - 1) / by; }

ANNEAL_GROUP_FUNCTION int smaller(int a, int b) { return a < b ? a : b; }
ANNEAL_GROUP_FUNCTION int larger(int a, int b) { return a > b ? a : b; }

/** Parts there is room for; it never falls with the number of tokens. */
ANNEAL_GROUP_FUNCTION int mostParts(int tokens, int regions) {
  const int tiles = divideUp(tokens, kTileTokens);
  return smaller(tiles, larger(divideUp(kBlocksWanted, regions), smaller(kPartsOfLong, divideUp(tiles, 4))));
}

/** Tiles of tokens in a part; the last one may have fewer, and none is empty. */
ANNEAL_GROUP_FUNCTION int tilesOfPart(int tokens, int regions) { return divideUp(divideUp(tokens, kTileTokens), mostParts(tokens, regions)); }

ANNEAL_GROUP_FUNCTION int partsOf(int tokens, int regions) { return divideUp(divideUp(tokens, kTileTokens), tilesOfPart(tokens, regions)); }

/** Where 16-byte chunk 0 or 1 of a row of 16 bf16 lies in shared memory: eight consecutive rows of one chunk fall into different banks. */
ANNEAL_GROUP_FUNCTION uint32_t narrowOffset(int row, int chunk) { return static_cast<uint32_t>(row * 32 + (chunk ^ (row >> 2 & 1)) * 16); }

/** Column of a tile that thread `quad` of four holds as value `value` of n-tile `tile`: eight neighbors over four n-tiles. */
ANNEAL_GROUP_FUNCTION int columnOf(int tile, int quad, int value) { return tile / 4 * 32 + quad * 8 + tile % 4 * 2 + value; }

}  // namespace anneal::cuda
