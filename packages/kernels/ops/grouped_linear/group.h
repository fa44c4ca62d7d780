#pragma once

#include "cuda/narrow_tiles.h"

// How the tensor core kernels of grouped_linear divide the columns of its members.

namespace anneal::cuda {

constexpr int kMembers = 3;
/** In the backward pass a block sums over a region of columns of one member. */
constexpr int kRegionTiles = 4;
constexpr int kRegionColumns = kRegionTiles * kTileColumns;

}  // namespace anneal::cuda
