#pragma once

#include "cuda/types.cuh"

namespace anneal::cuda {

constexpr int kWarp = 32;

struct Sum {
  template <typename Value>
  __device__ Value operator()(Value a, Value b) const {
    return a + b;
  }
};

struct Maximum {
  __device__ float operator()(float a, float b) const { return fmaxf(a, b); }
};

/** Joins the values of `Lanes` neighboring threads of a warp, in one order; every one of them gets the result. */
template <int Lanes, typename Value, typename Join>
__device__ Value joinLanes(Value value, Join join) {
#pragma unroll
  for (int distance = Lanes / 2; distance > 0; distance /= 2) value = join(value, __shfl_xor_sync(0xffffffffu, value, distance));
  return value;
}

/**
 * Joins the values of all threads of a block of `Threads`, in one order; every thread gets the result. `partial` is shared
 * memory of Threads / 32 values, free again for the next call.
 */
template <int Threads, typename Value, typename Join>
__device__ Value joinBlock(Value value, Value* partial, Join join) {
  static_assert(Threads % kWarp == 0 && Threads <= kWarp * kWarp);
  constexpr int kWarps = Threads / kWarp;
  value = joinLanes<kWarp>(value, join);
  if (threadIdx.x % kWarp == 0) partial[threadIdx.x / kWarp] = value;
  __syncthreads();
  value = partial[threadIdx.x % kWarps];
  __syncthreads();
  return joinLanes<kWarps>(value, join);
}

/** Sum over the `Group` neighboring threads that share a row: a part of a warp, a warp, or the whole block. */
template <int Group>
__device__ float sumGroup(float value) {
  if constexpr (Group <= kWarp) {
    return joinLanes<Group>(value, Sum{});
  } else {
    __shared__ float partial[Group / kWarp];
    return joinBlock<Group>(value, partial, Sum{});
  }
}

}  // namespace anneal::cuda
