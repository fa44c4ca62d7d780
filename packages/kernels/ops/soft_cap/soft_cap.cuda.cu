#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct SoftCap {
  const A* x;
  A* y;
  float cap;

  template <int V>
  __device__ void run(int64_t i) const {
    float values[V];
    load<V>(x + i, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = cap * tanhf(values[j] / cap);
    store<V>(y + i, values);
  }
};

}  // namespace

const char* soft_cap(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const float cap = static_cast<float>(launch.attributes[0]);
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, y.elements(), SoftCap<A>{dataOf<A>(x), dataOf<A>(y), cap});
  });
}

}  // namespace anneal::cuda
