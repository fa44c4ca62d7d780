#pragma once

#include "cuda/types.cuh"
#include "nf4.h"

// Weights in NF4 as kernels read them: codes, and the absmax of each block, which may be quantized itself.

namespace anneal::cuda {

static __constant__ float kNf4Codes[16] = {kNf4Values[0],  kNf4Values[1],  kNf4Values[2],  kNf4Values[3], kNf4Values[4],  kNf4Values[5],
                                           kNf4Values[6],  kNf4Values[7],  kNf4Values[8],  kNf4Values[9], kNf4Values[10], kNf4Values[11],
                                           kNf4Values[12], kNf4Values[13], kNf4Values[14], kNf4Values[15]};

/** Weights of a 32-bit word of codes, the first in the upper half of the first byte. */
constexpr int kNf4Word = 8;

/** @param values of the codes, in shared memory: threads that look up different ones do not wait for each other */
__device__ inline void decodeWord(uint32_t word, const float* values, float absmax, float (&to)[kNf4Word]) {
#pragma unroll
  for (int k = 0; k < kNf4Word; k++) to[k] = values[word >> (k / 2 * 8 + (k % 2 ? 0 : 4)) & 15] * absmax;
}

struct Absmax {
  const float* absmax;

  /** What is read of a block, to be made its absmax later. */
  using Held = float;
  __device__ Held held(uint64_t block) const { return absmax[block]; }
  __device__ float value(Held held, const float*) const { return held; }

  __device__ const float* table() const { return nullptr; }
  __device__ float operator()(uint64_t block, const float*) const { return absmax[block]; }
};

struct DoubleAbsmax {
  const uint8_t* absmax;
  const float* scales;
  const float* map;
  const float* offsets;

  struct Held {
    uint8_t code;
    float scale, offset;
  };
  __device__ Held held(uint64_t block) const { return {absmax[block], scales[block / kNf4ScaleBlock], offsets[block / kNf4ScaleBlock]}; }
  /** Rounded after the product and after the sum, as bitsandbytes does. @param table the map, or a copy of it */
  __device__ float value(const Held& held, const float* table) const { return __fadd_rn(__fmul_rn(table[held.code], held.scale), held.offset); }

  __device__ const float* table() const { return map; }
  __device__ float operator()(uint64_t block, const float* table) const { return value(held(block), table); }
};

}  // namespace anneal::cuda
