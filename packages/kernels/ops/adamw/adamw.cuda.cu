#include "cuda/elements.cuh"
#include "power.h"

namespace anneal::cuda {
namespace {

constexpr int V = kLanes<float>;

struct Rates {
  float decay, stepSize, rootCorrection;
};

struct AdamW {
  const float *gradient, *clip, *learningRate;
  const int32_t* step;
  float *parameter, *m, *v;
  double beta1, beta2, weightDecay;
  float epsilon;

  __device__ Rates rates() const {
    const double rate = *learningRate;
    return {static_cast<float>(1.0 - rate * weightDecay), static_cast<float>(rate / (1.0 - power(beta1, *step))),
            static_cast<float>(1.0 / sqrt(1.0 - power(beta2, *step)))};
  }

  template <int V>
  __device__ void run(int64_t i, Rates rates) const {
    const float b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2);
    const float c1 = static_cast<float>(1.0 - beta1), c2 = static_cast<float>(1.0 - beta2);
    const float scale = *clip;
    float g[V], mean[V], square[V], value[V];
    load<V>(gradient + i, g);
    load<V>(m + i, mean);
    load<V>(v + i, square);
    load<V>(parameter + i, value);
#pragma unroll
    for (int j = 0; j < V; j++) {
      g[j] *= scale;
      mean[j] = b1 * mean[j] + c1 * g[j];
      square[j] = b2 * square[j] + c2 * g[j] * g[j];
      const float denominator = sqrtf(square[j]) * rates.rootCorrection + epsilon;
      value[j] = value[j] * rates.decay - rates.stepSize * (mean[j] / denominator);
    }
    store<V>(m + i, mean);
    store<V>(v + i, square);
    store<V>(parameter + i, value);
  }
};

/** As elementsKernel, with the powers of the betas taken once a block. */
__global__ void __launch_bounds__(kElementThreads) adamwKernel(int64_t count, AdamW body) {
  __shared__ Rates shared;
  if (threadIdx.x == 0) shared = body.rates();
  __syncthreads();
  const Rates rates = shared;
  const int64_t stride = int64_t{gridDim.x} * kElementThreads * V;
  for (int64_t i = (int64_t{blockIdx.x} * kElementThreads + threadIdx.x) * V; i < count; i += stride) {
    if (i + V <= count)
      body.run<V>(i, rates);
    else
#pragma unroll 1
      for (int64_t rest = i; rest < count; rest++) body.run<1>(rest, rates);
  }
}

}  // namespace

const char* adamw(const Launch& launch) {
  const double* a = launch.attributes;
  const int64_t count = launch.outputs[0].elements();
  if (count == 0) return nullptr;
  const AdamW body{launch.inputs[1].f32(),  launch.inputs[4].f32(),  launch.inputs[5].f32(),
                   launch.inputs[6].i32(),  launch.outputs[0].f32(), launch.outputs[1].f32(),
                   launch.outputs[2].f32(), a[0],                    a[1],
                   a[3],                    static_cast<float>(a[2])};
  // One round of blocks that all fit: the powers are taken at the same time everywhere.
  const int64_t most = contextOf(launch).multiprocessors * 4, blocks = ceilDivide(count, V * kElementThreads);
  adamwKernel<<<static_cast<unsigned>(blocks < most ? blocks : most), kElementThreads, 0, contextOf(launch).stream>>>(count, body);
  return nullptr;
}

}  // namespace anneal::cuda
