#include "cuda/cuda_context.h"
#include "cuda/reduce.cuh"
#include "cuda/vectors.cuh"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 512, kWarps = kThreads / kWarp;

/** A block a head: its warps take tokens in turn. */
template <typename A>
__global__ void __launch_bounds__(kThreads) sinksKernel(const float* sinks, const float* lse, const A* out, const A* dout, float* gradient, int tokens,
                                                        int size) {
  __shared__ float partial[kWarps];
  const int head = static_cast<int>(blockIdx.x), heads = static_cast<int>(gridDim.x);
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  const float sink = sinks[head];
  float taken = 0;
  for (int token = warp; token < tokens; token += kWarps) {
    const int64_t row = (int64_t{token} * heads + head) * size;
    float product = 0;
    for (int c = lane; c < size; c += kWarp) product = fmaf(toFloat(out[row + c]), toFloat(dout[row + c]), product);
    taken = fmaf(expf(sink - lse[int64_t{head} * tokens + token]), product, taken);
  }
  taken = joinBlock<kThreads>(taken, partial, Sum{});
  if (threadIdx.x == 0) gradient[head] -= taken;
}

}  // namespace

const char* attention_sinks_backward(const Launch& launch) {
  const Tensor sinks = launch.inputs[0], lse = launch.inputs[1], out = launch.inputs[2], dout = launch.inputs[3];
  const int heads = static_cast<int>(lse.shape[0]), tokens = static_cast<int>(lse.shape[1]), size = static_cast<int>(out.shape[1]) / heads;
  return withType(out.type, [&](auto zero) {
    using A = decltype(zero);
    sinksKernel<A><<<heads, kThreads, 0, contextOf(launch).stream>>>(sinks.f32(), lse.f32(), dataOf<A>(out), dataOf<A>(dout),
                                                                     launch.outputs[0].f32(), tokens, size);
  });
}

}  // namespace anneal::cuda
