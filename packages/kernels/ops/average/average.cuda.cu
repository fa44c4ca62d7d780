#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

struct Average {
  const float* parameter;
  const int32_t* step;
  float* average;
  double decay;

  template <int V>
  __device__ void run(int64_t i) const {
    const double atFirst = (1.0 + *step) / (10.0 + *step);
    const float share = static_cast<float>(1.0 - (decay < atFirst ? decay : atFirst));
    float value[V], mean[V];
    load<V>(parameter + i, value);
    load<V>(average + i, mean);
#pragma unroll
    for (int j = 0; j < V; j++) mean[j] += share * (value[j] - mean[j]);
    store<V>(average + i, mean);
  }
};

}  // namespace

const char* average(const Launch& launch) {
  overElements<float>(launch, launch.outputs[0].elements(),
                      Average{launch.inputs[0].f32(), launch.inputs[2].i32(), launch.outputs[0].f32(), launch.attributes[0]});
  return nullptr;
}

}  // namespace anneal::cuda
