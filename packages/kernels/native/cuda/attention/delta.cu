#include <cuda_bf16.h>

#include "attention.h"

// delta[head, row] = Σ out · d_out, which the backward pass subtracts from every gradient of a weight. Bound by memory.

namespace anneal::cuda {
namespace {

constexpr int kThreads = 256, kRowsAtOnce = 2;

__device__ inline float product(__nv_bfloat162 a, __nv_bfloat162 b) {
  const float2 x = __bfloat1622float2(a), y = __bfloat1622float2(b);
  return fmaf(x.x, y.x, x.y * y.y);
}
__device__ inline float product(uint32_t a, uint32_t b) {
  return product(reinterpret_cast<const __nv_bfloat162&>(a), reinterpret_cast<const __nv_bfloat162&>(b));
}
__device__ inline float product(const uint4& a, const uint4& b) {
  return product(a.x, b.x) + product(a.y, b.y) + (product(a.z, b.z) + product(a.w, b.w));
}
__device__ inline float product(float a, float b) { return a * b; }
__device__ inline float product(__nv_bfloat16 a, __nv_bfloat16 b) { return __bfloat162float(a) * __bfloat162float(b); }

/** kLanes lanes a row, each with kEach vectors of 8 values: heads of 8 · kEach · kLanes. Several rows are in flight, that memory is kept busy. */
template <int kLanes, int kEach>
__global__ void __launch_bounds__(kThreads) vectorKernel(const uint4* out, const uint4* d_out, float* delta, int tokens, int heads) {
  const int64_t rows = int64_t{tokens} * heads, stride = kThreads / kLanes;
  const int64_t first = int64_t{blockIdx.x} * stride * kRowsAtOnce + threadIdx.x / kLanes;
  const int lane = threadIdx.x % kLanes;
  float sum[kRowsAtOnce];
#pragma unroll
  for (int i = 0; i < kRowsAtOnce; i++) {
    const int64_t row = first + i * stride;
    sum[i] = 0;
    if (row >= rows) continue;
#pragma unroll
    for (int j = 0; j < kEach; j++) {
      const int64_t at = (row * kEach + j) * kLanes + lane;
      sum[i] += product(out[at], d_out[at]);
    }
  }
#pragma unroll
  for (int i = 0; i < kRowsAtOnce; i++) {
#pragma unroll
    for (int offset = kLanes / 2; offset > 0; offset /= 2) sum[i] += __shfl_xor_sync(~0u, sum[i], offset);
    const int64_t row = first + i * stride;
    if (lane == 0 && row < rows) delta[row % heads * tokens + row / heads] = sum[i];
  }
}

/** A warp a row, any head size. */
template <typename Element>
__global__ void __launch_bounds__(kThreads) elementKernel(const Element* out, const Element* d_out, float* delta, int tokens, int heads, int size) {
  const int lane = threadIdx.x % 32;
  const int64_t row = int64_t{blockIdx.x} * (kThreads / 32) + threadIdx.x / 32;
  if (row >= int64_t{tokens} * heads) return;
  float sum = 0;
  for (int c = lane; c < size; c += 32) sum += product(out[row * size + c], d_out[row * size + c]);
  for (int offset = 16; offset > 0; offset /= 2) sum += __shfl_xor_sync(~0u, sum, offset);
  if (lane == 0) delta[row % heads * tokens + row / heads] = sum;
}

template <int kLanes, int kEach = 1>
void launchVectors(const Backward& p, cudaStream_t stream) {
  constexpr int kRows = kThreads / kLanes * kRowsAtOnce;
  const int64_t rows = int64_t{p.shape.tokens} * p.shape.heads;
  vectorKernel<kLanes, kEach><<<static_cast<unsigned>((rows + kRows - 1) / kRows), kThreads, 0, stream>>>(
      static_cast<const uint4*>(p.out), static_cast<const uint4*>(p.d_out), p.delta, p.shape.tokens, p.shape.heads);
}

template <typename Element>
void launchElements(const Backward& p, cudaStream_t stream) {
  constexpr int kRows = kThreads / 32;
  const int64_t rows = int64_t{p.shape.tokens} * p.shape.heads;
  elementKernel<Element><<<static_cast<unsigned>((rows + kRows - 1) / kRows), kThreads, 0, stream>>>(
      static_cast<const Element*>(p.out), static_cast<const Element*>(p.d_out), p.delta, p.shape.tokens, p.shape.heads, p.shape.head_size);
}

}  // namespace

const char* attentionDelta(const Backward& p, cudaStream_t stream) {
  if (p.shape.type == DType::f32) launchElements<float>(p, stream);
  else if (p.shape.head_size == 64) launchVectors<8>(p, stream);
  else if (p.shape.head_size == 96) launchVectors<4, 3>(p, stream);
  else if (p.shape.head_size == 128) launchVectors<16>(p, stream);
  else if (p.shape.head_size == 192) launchVectors<8, 3>(p, stream);
  else if (p.shape.head_size == 256) launchVectors<32>(p, stream);
  else if (p.shape.head_size == 512) launchVectors<32, 2>(p, stream);
  else launchElements<__nv_bfloat16>(p, stream);
  const cudaError_t error = cudaGetLastError();
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace anneal::cuda
