#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

struct Lion {
  const float *gradient, *clip, *learningRate;
  float *parameter, *m;
  double beta1, beta2, weightDecay;

  template <int V>
  __device__ void run(int64_t i) const {
    const float b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2);
    const float c1 = static_cast<float>(1.0 - beta1), c2 = static_cast<float>(1.0 - beta2);
    const float scale = *clip, rate = *learningRate;
    const float decay = static_cast<float>(1.0 - static_cast<double>(rate) * weightDecay);
    float g[V], momentum[V], value[V];
    load<V>(gradient + i, g);
    load<V>(m + i, momentum);
    load<V>(parameter + i, value);
#pragma unroll
    for (int j = 0; j < V; j++) {
      g[j] *= scale;
      const float mean = b1 * momentum[j] + c1 * g[j];
      const float direction = mean > 0 ? 1.0f : mean < 0 ? -1.0f : mean;  // NaN of NaN
      momentum[j] = b2 * momentum[j] + c2 * g[j];
      value[j] = value[j] * decay - rate * direction;
    }
    store<V>(m + i, momentum);
    store<V>(parameter + i, value);
  }
};

}  // namespace

const char* lion(const Launch& launch) {
  const double* a = launch.attributes;
  const int64_t count = launch.outputs[0].elements();
  overElements<float>(launch, count,
                      Lion{launch.inputs[1].f32(), launch.inputs[3].f32(), launch.inputs[4].f32(), launch.outputs[0].f32(),
                           launch.outputs[1].f32(), a[0], a[1], a[2]});
  return nullptr;
}

}  // namespace anneal::cuda
