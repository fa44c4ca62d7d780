#pragma once

#include "cuda/attention/wgmma.cuh"

namespace anneal::cuda {

// multiplyTiles of wgmma.cuh for 192 and 256 rows of `b`.
template <bool kAcross>
__device__ inline void multiplyTiles(float (&d)[24][4], uint64_t a, uint64_t b, bool add) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %98, 0; wgmma.mma_async.sync.aligned.m64n192k16.f32.bf16.bf16 {" ANNEAL_NAMES_96 "}, %96, %97, p, 1, 1, %99, 0;}"
      : ANNEAL_SUMS_24(0)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(kAcross ? 1 : 0));
}
template <bool kAcross>
__device__ inline void multiplyTiles(float (&d)[32][4], uint64_t a, uint64_t b, bool add) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %130, 0; wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" ANNEAL_NAMES_128 "}, %128, %129, p, 1, 1, %131, 0;}"
      : ANNEAL_SUMS_32(0)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(kAcross ? 1 : 0));
}

}  // namespace anneal::cuda
