#pragma once

#include "cuda/nf4.cuh"
#include "cuda/vectors.cuh"

namespace anneal::cuda {

/** A weight in NF4 as few_rows.cuh reads it: rounded to bf16 as dequantize_nf4 rounds it, so that products have the same bits. */
template <typename AbsmaxOf>
struct Nf4Weight {
  const uint8_t* codes;
  AbsmaxOf absmax;

  struct Table {
    float values[16];
  };
  /** By all threads of a block. */
  __device__ void fill(Table& table) const {
    if (threadIdx.x < 16) table.values[threadIdx.x] = kNf4Codes[threadIdx.x];
    __syncthreads();
  }
  __device__ void load(const Table& table, int64_t at, float (&to)[kNf4Word]) const {
    decodeWord(__ldcs(reinterpret_cast<const uint32_t*>(codes) + at / kNf4Word), table.values, absmax(at / kNf4Block, absmax.table()), to);
#pragma unroll
    for (float& value : to) value = toFloat(fromFloat<Bf16>(value));
  }
};

}  // namespace anneal::cuda
