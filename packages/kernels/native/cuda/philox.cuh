#pragma once

#include <cstdint>

namespace anneal::cuda {

/** Philox 4x32-10: the four random words of a counter. */
__device__ inline uint4 philox(uint4 counter, uint32_t low, uint32_t high) {
#pragma unroll
  for (int round = 0; round < 10; round++) {
    const uint32_t high0 = __umulhi(counter.x, 0xD2511F53u), low0 = counter.x * 0xD2511F53u;
    const uint32_t high2 = __umulhi(counter.z, 0xCD9E8D57u), low2 = counter.z * 0xCD9E8D57u;
    counter = make_uint4(high2 ^ counter.y ^ low, low2, high0 ^ counter.w ^ high, low0);
    low += 0x9E3779B9u;
    high += 0xBB67AE85u;
  }
  return counter;
}

}  // namespace anneal::cuda
