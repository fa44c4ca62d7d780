#pragma once

#include <cuda_runtime.h>

#include "cuda/reduce.cuh"

namespace anneal::cuda {

constexpr int kSumThreads = 1024;

static __global__ void __launch_bounds__(kSumThreads) addSumsKernel(const double* values, int64_t count, double* total) {
  __shared__ double partial[kSumThreads / kWarp];
  double sum = 0;
#pragma unroll 4
  for (int64_t i = threadIdx.x; i < count; i += kSumThreads) sum += values[i];
  sum = joinBlock<kSumThreads>(sum, partial, Sum{});
  if (threadIdx.x == 0) *total += sum;
}

/** total += Σ values, in one order. */
inline void addSums(cudaStream_t stream, const double* values, int64_t count, double* total) {
  if (count > 0) addSumsKernel<<<1, kSumThreads, 0, stream>>>(values, count, total);
}

}  // namespace anneal::cuda
