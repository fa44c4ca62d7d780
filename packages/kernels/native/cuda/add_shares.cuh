#pragma once

#include <cuda_runtime.h>

#include "cuda/reduce.cuh"

namespace anneal::cuda {

constexpr int kShareThreads = 128;

/** One block for each of the sums: the shares of all documents, in one order. */
template <int Sums>
static __global__ void __launch_bounds__(kShareThreads) addSharesKernel(const double* shares, int64_t documents, double* totals) {
  __shared__ double partial[kShareThreads / kWarp];
  double sum = 0;
  for (int64_t d = threadIdx.x; d < documents; d += kShareThreads) sum += shares[d * Sums + blockIdx.x];
  sum = joinBlock<kShareThreads>(sum, partial, Sum{});
  if (threadIdx.x == 0) totals[blockIdx.x] += sum;
}

/** totals[i] += Σ over documents of shares[document · Sums + i]. */
template <int Sums>
void addShares(cudaStream_t stream, const double* shares, int64_t documents, double* totals) {
  addSharesKernel<Sums><<<Sums, kShareThreads, 0, stream>>>(shares, documents, totals);
}

}  // namespace anneal::cuda
