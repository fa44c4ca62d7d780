#pragma once

#include <cuda_runtime.h>

#include "shape.h"

// Attention on CUDA, by three families of kernels. All give the same bits every time: nothing is added up in an order that may vary.

namespace anneal::cuda {

/** plain: any type, head size and soft cap, float32 arithmetic. mma: bf16 on tensor cores from sm_80 on. hopper: wgmma and TMA of sm_90a. */
enum class Family { automatic, plain, mma, hopper };

/** Tensor cores serve this shape: its types, its heads' size and the shared memory of this GPU. */
bool hasTensorCoreKernels(const AttentionShape& shape);

/** wgmma and TMA kernels serve this shape on this GPU. */
bool hasHopperKernels(const AttentionShape& shape);

/** This build has code for sm_90a: compiled for others, these kernels are empty. */
bool hopperCodeIsPresent();

/** The kernels for sm_90a are in this build, and the GPU is one. */
bool isHopper();

/** Most shared memory that a block of this GPU may ask for: 227 KB on sm_90, 163 on sm_80, 99 on smaller cards. */
int sharedMemoryLimit();

int multiprocessors();

/** out and lse, or the reason why not: a static string. Only enqueues. */
const char* attentionForward(const Forward& forward, cudaStream_t stream, Family family = Family::automatic);

/** dq, dk, dv. */
const char* attentionBackward(const Backward& backward, cudaStream_t stream, Family family = Family::automatic);

/** Rows of a cache that decodeForward looks at together: sums do not depend on how long the cache is. */
constexpr int kDecodeRows = 64;
constexpr int kMostDecodeSize = 512;

/**
 * `out` of sequences that have one token, against a cache. With `partial`, workspace of [heads, cache_rows / 64, head_size + 2] numbers, parts of the
 * only sequence are looked at side by side; without it a block walks over the cache. Heads have at most 512 elements.
 */
const char* decodeForward(const Forward& forward, float* partial, cudaStream_t stream);

/** The same of several sequences on tensor cores, for what it serves. */
bool servesTogether(const AttentionShape& shape);
const char* decodeTogether(const Forward& forward, cudaStream_t stream);

const char* plainForward(const Forward& forward, cudaStream_t stream);
const char* plainBackward(const Backward& backward, cudaStream_t stream);
const char* mmaForward(const Forward& forward, cudaStream_t stream);
const char* mmaBackwardQueries(const Backward& backward, cudaStream_t stream);
const char* mmaBackwardKeys(const Backward& backward, cudaStream_t stream);
const char* hopperForward(const Forward& forward, cudaStream_t stream);
const char* hopperBackward(const Backward& backward, cudaStream_t stream);
const char* attentionDelta(const Backward& backward, cudaStream_t stream);

/** Starts `kernel` with that much dynamic shared memory. */
template <typename Kernel, typename... Arguments>
const char* launchKernel(Kernel kernel, dim3 grid, int threads, size_t shared_bytes, cudaStream_t stream, const Arguments&... arguments) {
  cudaError_t error = cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared_bytes));
  if (error == cudaSuccess) {
    kernel<<<grid, threads, shared_bytes, stream>>>(arguments...);
    error = cudaGetLastError();
  }
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace anneal::cuda
