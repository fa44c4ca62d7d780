#pragma once

#include "cuda/narrow_tiles.h"

// How the tensor core kernels of grouped_linear divide the columns of its members.

namespace anneal::cuda {

constexpr int kMembers = 3;
/** In the backward pass a block sums over a region of columns of one member. */
constexpr int kRegionTiles = 4;
constexpr int kRegionColumns = kRegionTiles * kTileColumns;

/** Column of a tile that thread `quad` of four holds as value `value` of n-tile `tile`: eight neighbors over four n-tiles. */
ANNEAL_TILE_FUNCTION int columnOf(int tile, int quad, int value) { return tile / 4 * 32 + quad * 8 + tile % 4 * 2 + value; }

}  // namespace anneal::cuda
