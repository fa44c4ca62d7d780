#pragma once

#include "../linear/few_rows.cuh"
#include "cuda/nf4.cuh"

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
  struct Vector {
    uint32_t word;
    float absmax;
  };
  __device__ Vector read(uint64_t at) const {
    return {__ldcs(reinterpret_cast<const uint32_t*>(codes) + at / kNf4Word), absmax(at / kNf4Block, absmax.table())};
  }
  __device__ void decode(const Table& table, const Vector& vector, float (&to)[kNf4Word]) const {
    decodeWord(vector.word, table.values, vector.absmax, to);
    roundToBf16(to);
  }
};

}  // namespace anneal::cuda
