#pragma once

#include "cuda/attention/mma.cuh"
#include "cuda/nf4.cuh"

namespace anneal::cuda {

/** A weight in NF4 whose absmaxes are quantized themselves, read block by block. */
struct Nf4Blocks {
  const uint8_t* codes;
  DoubleAbsmax absmax;
};

__device__ inline uint32_t pickBytes(uint32_t low, uint32_t high, uint32_t selector) {
  uint32_t picked;
  asm("prmt.b32 %0, %1, %2, %3;" : "=r"(picked) : "r"(low), "r"(high), "r"(selector));
  return picked;
}

/** What the 16 codes stand for in one block, rounded to bf16: their lower bytes, and their upper ones. Eight codes are looked up at a time. */
struct Nf4Table {
  uint32_t lower[4], upper[4];

  __device__ explicit Nf4Table(float absmax) { set<0>(absmax), set<1>(absmax), set<2>(absmax), set<3>(absmax); }

  /** Four entries. */
  template <int kPlace>
  __device__ void set(float absmax) {
    constexpr int i = 4 * kPlace;
    constexpr float kValues[4] = {kNf4Values[i], kNf4Values[i + 1], kNf4Values[i + 2], kNf4Values[i + 3]};
    const uint32_t first = packBf16(kValues[0] * absmax, kValues[1] * absmax), second = packBf16(kValues[2] * absmax, kValues[3] * absmax);
    lower[kPlace] = pickBytes(first, second, 0x6420), upper[kPlace] = pickBytes(first, second, 0x7531);
  }

  /** Eight weights of bf16. The first of a byte is its upper half. */
  __device__ uint4 decode(uint32_t codes) const {
    const uint32_t entry = codes & 0x77777777, half = (codes >> 1 & 0x44444444) | 0x32103210;
    uint32_t pairs[4];
#pragma unroll
    for (int i = 0; i < 2; i++) {
      const uint32_t e = entry >> 16 * i, h = half >> 16 * i;
      const uint32_t low = pickBytes(pickBytes(lower[0], lower[1], e), pickBytes(lower[2], lower[3], e), h);
      const uint32_t high = pickBytes(pickBytes(upper[0], upper[1], e), pickBytes(upper[2], upper[3], e), h);
      pairs[2 * i] = pickBytes(low, high, 0x4051), pairs[2 * i + 1] = pickBytes(low, high, 0x6273);
    }
    return {pairs[0], pairs[1], pairs[2], pairs[3]};
  }
};

}  // namespace anneal::cuda
