#include <cuda_bf16.h>

#include "attention.h"

// delta[head, row] = Σ out · d_out, which the backward pass subtracts from every gradient of a weight. Bound by memory: a warp a row of a head.

namespace anneal::cuda {
namespace {

__device__ float product(float a, float b) { return a * b; }
__device__ float product(__nv_bfloat162 a, __nv_bfloat162 b) {
  const float2 x = __bfloat1622float2(a), y = __bfloat1622float2(b);
  return fmaf(x.x, y.x, x.y * y.y);
}
__device__ float product(__nv_bfloat16 a, __nv_bfloat16 b) { return __bfloat162float(a) * __bfloat162float(b); }

/** Pair: two values of Element where heads are even, else one. */
template <typename Pair>
__global__ void deltaKernel(const Pair* out, const Pair* d_out, float* delta, int tokens, int heads, int pairs) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * (blockDim.x / 32) + threadIdx.x / 32;
  if (row >= int64_t{tokens} * heads) return;
  float sum = 0;
  for (int c = lane; c < pairs; c += 32) sum += product(out[row * pairs + c], d_out[row * pairs + c]);
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(~0u, sum, offset);
  if (lane == 0) delta[row % heads * tokens + row / heads] = sum;
}

template <typename Pair>
const char* launch(const Backward& p, int pairs, cudaStream_t stream) {
  const int64_t rows = int64_t{p.shape.tokens} * p.shape.heads;
  deltaKernel<<<static_cast<unsigned>((rows + 7) / 8), 256, 0, stream>>>(static_cast<const Pair*>(p.out), static_cast<const Pair*>(p.d_out), p.delta,
                                                                         p.shape.tokens, p.shape.heads, pairs);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace

const char* attentionDelta(const Backward& backward, cudaStream_t stream) {
  const int size = backward.shape.head_size;
  if (backward.shape.type == DType::f32) return launch<float>(backward, size, stream);
  return size % 2 == 0 ? launch<__nv_bfloat162>(backward, size / 2, stream) : launch<__nv_bfloat16>(backward, size, stream);
}

}  // namespace anneal::cuda
