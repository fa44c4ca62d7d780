#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 256;

struct Softmax {
  float largest, sum;

  __device__ float of(float logit) const { return expf(logit - largest) / sum; }
};

/** A warp reads a token. */
template <typename A>
__device__ Softmax softmaxOf(const A* logits, int experts) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  float largest = -INFINITY, sum = 0;
  for (int e = lane; e < experts; e += kWarp) largest = fmaxf(largest, toFloat(logits[e]));
  largest = joinLanes<kWarp>(largest, Maximum{});
  for (int e = lane; e < experts; e += kWarp) sum += expf(toFloat(logits[e]) - largest);
  return {largest, joinLanes<kWarp>(sum, Sum{})};
}

template <typename A>
__global__ void __launch_bounds__(kThreads) softmaxKernel(const A* logits, const int32_t* count, int experts, Softmax* rows) {
  const int64_t token = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (token >= *count) return;
  const Softmax row = softmaxOf(logits + token * experts, experts);
  if (threadIdx.x % kWarp == 0) rows[token] = row;
}

/** A block for each expert. */
template <typename A>
__global__ void __launch_bounds__(kThreads)
    balanceKernel(const A* logits, const int32_t* chosen, const int32_t* count, const double* before, int experts, int choices, const Softmax* rows, double* sums) {
  __shared__ double partial[kThreads / kWarp];
  const int expert = static_cast<int>(blockIdx.x);
  const int64_t tokens = *count;
  double probability = 0, own = 0;
  for (int64_t t = threadIdx.x; t < tokens; t += kThreads) probability += rows[t].of(toFloat(logits[t * experts + expert]));
  for (int64_t i = threadIdx.x; i < tokens * choices; i += kThreads) own += chosen[i] == expert ? 1 : 0;
  probability = joinBlock<kThreads>(probability, partial, Sum{});
  own = joinBlock<kThreads>(own, partial, Sum{});
  if (threadIdx.x != 0) return;
  sums[expert] = own + (before ? before[expert] : 0);
  sums[experts + expert] = probability + (before ? before[experts + expert] : 0);
}

template <typename A>
__global__ void __launch_bounds__(kThreads)
    balanceBackwardKernel(const float* gradients, const A* logits, const int32_t* count, int64_t tokens, int experts, A* dlogits) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t token = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (token >= tokens) return;
  const A* row = logits + token * experts;
  A* out = dlogits + token * experts;
  const Softmax softmax = softmaxOf(row, experts);
  float mean = 0;
  for (int e = lane; e < experts; e += kWarp) mean += softmax.of(toFloat(row[e])) * gradients[e];
  mean = joinLanes<kWarp>(mean, Sum{});
  const bool isCounted = token < *count;
  for (int e = lane; e < experts; e += kWarp) out[e] = fromFloat<A>(isCounted ? softmax.of(toFloat(row[e])) * (gradients[e] - mean) : 0.0f);
}

__global__ void __launch_bounds__(kThreads)
    balanceLossKernel(const double* sums, const int32_t* count, const float* scale, int experts, double layers, double* total, float* dsums) {
  __shared__ double partial[kThreads / kWarp];
  const double asked = layers * *count;
  const double each = asked == 0 ? 0 : *count * static_cast<double>(experts) / (asked * asked);
  double loss = 0;
  for (int e = static_cast<int>(threadIdx.x); e < experts; e += kThreads) {
    loss += each * sums[e] * sums[experts + e];
    dsums[e] = 0;
    dsums[experts + e] = static_cast<float>(*scale * each * sums[e]);
  }
  loss = joinBlock<kThreads>(loss, partial, Sum{});
  if (threadIdx.x == 0) *total += loss;
}

}  // namespace

const char* expert_balance(const Launch& launch) {
  const Tensor logits = launch.inputs[0], chosen = launch.inputs[1];
  const int64_t tokens = logits.shape[0];
  const int experts = static_cast<int>(logits.shape[1]), choices = static_cast<int>(chosen.shape[1]);
  const int32_t* count = launch.inputs[2].i32();
  Softmax* rows = reinterpret_cast<Softmax*>(launch.workspace);
  const cudaStream_t stream = contextOf(launch).stream;
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    if (tokens > 0) softmaxKernel<A><<<static_cast<unsigned>(ceilDivide(tokens, kThreads / kWarp)), kThreads, 0, stream>>>(dataOf<A>(logits), count, experts, rows);
    balanceKernel<A><<<static_cast<unsigned>(experts), kThreads, 0, stream>>>(dataOf<A>(logits), chosen.i32(), count, launch.inputs[3].f64(), experts, choices, rows,
                                                                              launch.outputs[0].f64());
  });
}

const char* expert_balance_backward(const Launch& launch) {
  const Tensor logits = launch.inputs[1];
  const int64_t tokens = logits.shape[0];
  const int experts = static_cast<int>(logits.shape[1]);
  if (tokens == 0) return nullptr;
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    balanceBackwardKernel<A><<<static_cast<unsigned>(ceilDivide(tokens, kThreads / kWarp)), kThreads, 0, contextOf(launch).stream>>>(
        launch.inputs[0].f32() + experts, dataOf<A>(logits), launch.inputs[2].i32(), tokens, experts, dataOf<A>(launch.outputs[0]));
  });
}

const char* balance_loss(const Launch& launch) {
  balanceLossKernel<<<1, kThreads, 0, contextOf(launch).stream>>>(launch.inputs[0].f64(), launch.inputs[1].i32(), launch.inputs[2].f32(),
                                                                  static_cast<int>(launch.inputs[0].shape[0] / 2), launch.attributes[0], launch.outputs[0].f64(),
                                                                  launch.outputs[1].f32());
  return nullptr;
}

}  // namespace anneal::cuda
