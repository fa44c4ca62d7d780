#include "attention.h"
#include "cuda/reduce.cuh"
#include "cuda/vectors.cuh"

// What sinks change of attention, apart from its kernels: they need no keys, and the backward pass finds them in lse.

namespace anneal::cuda {
namespace {

constexpr int kThreads = 256, kRows = kThreads / kWarp;

/** A warp a row. */
template <typename A>
__global__ void __launch_bounds__(kThreads) joinKernel(A* out, float* lse, const float* sinks, int tokens, int heads, int size) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t row = int64_t{blockIdx.x} * kRows + threadIdx.x / kWarp;
  if (row >= int64_t{tokens} * heads) return;
  const int head = static_cast<int>(row % heads);
  float* of = lse + int64_t{head} * tokens + row / heads;
  const float before = *of, sink = sinks[head], share = 1.0f / (1.0f + expf(sink - before));
  for (int c = lane; c < size; c += kWarp) out[row * size + c] = fromFloat<A>(share * toFloat(out[row * size + c]));
  __syncwarp();  // every lane has read it
  if (lane == 0) *of = fmaxf(before, sink) + log1pf(expf(-fabsf(before - sink)));
}

}  // namespace

const char* joinSinks(const Forward& p, const float* sinks, cudaStream_t stream) {
  const AttentionShape& s = p.shape;
  if (s.tokens == 0) return nullptr;
  const unsigned blocks = static_cast<unsigned>(ceilDivide(int64_t{s.tokens} * s.heads, kRows));
  const char* problem = withType(s.type, [&](auto zero) {
    using A = decltype(zero);
    joinKernel<A><<<blocks, kThreads, 0, stream>>>(static_cast<A*>(p.out), p.lse, sinks, s.tokens, s.heads, s.head_size);
  });
  const cudaError_t error = cudaGetLastError();
  return problem || error == cudaSuccess ? problem : cudaGetErrorString(error);
}

}  // namespace anneal::cuda
