#include "cuda/column_sums.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct AddBias {
  const A* x;
  const float* bias;
  A* y;
  int64_t width;
  float factor;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float values[V], added[V];
    load<V>(x + row * width + column, values);
    load<V>(bias + column, added);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] += factor * added[j];
    store<V>(y + row * width + column, values);
  }
};

template <typename A>
struct Rows {
  const A* dy;
  int64_t width;
  float factor;

  template <int V>
  __device__ void run(int64_t row, int column, float (&values)[V]) const {
    load<V>(dy + row * width + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= factor;
  }
};

}  // namespace

const char* add_bias(const Launch& launch) {
  const Tensor x = launch.inputs[0], bias = launch.inputs[1], y = launch.outputs[0];
  const float factor = static_cast<float>(launch.attributes[0]);
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, x.shape[0], x.shape[1], AddBias<A>{dataOf<A>(x), bias.f32(), dataOf<A>(y), x.shape[1], factor});
  });
}

/** Workspace: columnSums of T rows. */
const char* add_bias_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0];
  const float factor = static_cast<float>(launch.attributes[0]);
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    columnSums<A>(launch, dy.shape[0], dy.shape[1], Rows<A>{dataOf<A>(dy), dy.shape[1], factor}, launch.outputs[0].f32());
  });
}

}  // namespace anneal::cuda
