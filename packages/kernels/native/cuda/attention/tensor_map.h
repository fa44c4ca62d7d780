#pragma once

#include <cuda.h>

#include "shape.h"

namespace anneal::cuda {

/**
 * How TMA reads a matrix [tokens, heads · head_size] of bf16: `rows` rows of one head at a time, into a tile [head_size / 64][rows][64] in the
 * 128-byte swizzle. Coordinates: 0, first row, first column / 64. Rows past the matrix arrive as zeros; rows of other documents as they are.
 * False where the driver has no TMA.
 */
bool makeTensorMap(CUtensorMap& map, const void* data, int tokens, int heads, int head_size, int rows);

}  // namespace anneal::cuda
