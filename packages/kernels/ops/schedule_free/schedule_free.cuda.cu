#include "cuda/elements.cuh"
#include "power.h"

namespace anneal::cuda {
namespace {

__global__ void mixKernel(double* state, const float* learningRate, float* mix) {
  const double rate = *learningRate, largest = rate > state[1] ? rate : state[1];
  const double weight = largest * largest, sum = state[0] + weight;
  state[0] = sum, state[1] = largest;
  *mix = sum > 0 ? static_cast<float>(weight / sum) : 0.0f;
}

struct ScheduleFreeAdamW {
  const float *gradient, *mix, *clip, *learningRate;
  const int32_t* step;
  float *y, *z, *x, *v;
  double beta1, beta2;
  float epsilon, weightDecay;

  template <int V>
  __device__ void run(int64_t i) const {
    const float b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2);
    const float c1 = static_cast<float>(1.0 - beta1), c2 = static_cast<float>(1.0 - beta2);
    const float scale = *clip, rate = *learningRate, share = *mix, rootCorrection = static_cast<float>(sqrt(1.0 - power(beta2, *step)));
    float g[V], square[V], at[V], newest[V], mean[V];
    load<V>(gradient + i, g);
    load<V>(v + i, square);
    load<V>(y + i, at);
    load<V>(z + i, newest);
    load<V>(x + i, mean);
#pragma unroll
    for (int j = 0; j < V; j++) {
      g[j] *= scale;
      square[j] = b2 * square[j] + c2 * g[j] * g[j];
      const float move = g[j] / (sqrtf(square[j]) / rootCorrection + epsilon) + weightDecay * at[j];
      newest[j] -= rate * move;
      mean[j] = (1.0f - share) * mean[j] + share * newest[j];
      at[j] = c1 * newest[j] + b1 * mean[j];
    }
    store<V>(v + i, square);
    store<V>(z + i, newest);
    store<V>(x + i, mean);
    store<V>(y + i, at);
  }
};

}  // namespace

const char* schedule_free_mix(const Launch& launch) {
  mixKernel<<<1, 1, 0, contextOf(launch).stream>>>(launch.outputs[0].f64(), launch.inputs[1].f32(), launch.outputs[1].f32());
  return nullptr;
}

const char* schedule_free_adamw(const Launch& launch) {
  const double* a = launch.attributes;
  const Tensor *in = launch.inputs, *out = launch.outputs;
  overElements<float>(launch, out[0].elements(),
                      ScheduleFreeAdamW{in[1].f32(), in[5].f32(), in[6].f32(), in[7].f32(), in[8].i32(), out[0].f32(), out[1].f32(), out[2].f32(),
                                        out[3].f32(), a[0], a[1], static_cast<float>(a[2]), static_cast<float>(a[3])});
  return nullptr;
}

}  // namespace anneal::cuda
