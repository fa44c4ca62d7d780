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

/**
 * How TMA reads a matrix [rows, columns] of bf16, whose rows begin at multiples of 16 bytes: 64 columns of `box_rows` rows at a time, into a tile
 * [box_rows][64] in the 128-byte swizzle. Coordinates: first column, first row. What lies outside arrives as zeros.
 */
bool makeMatrixMap(CUtensorMap& map, const void* data, int64_t rows, int64_t columns, int box_rows);

}  // namespace anneal::cuda
