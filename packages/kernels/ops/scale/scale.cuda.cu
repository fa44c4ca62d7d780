#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct Scale {
  const A* x;
  A* y;
  float factor;

  template <int V>
  __device__ void run(int64_t i) const {
    float values[V];
    load<V>(x + i, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= factor;
    store<V>(y + i, values);
  }
};

}  // namespace

const char* scale(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const float factor = static_cast<float>(launch.attributes[0]);
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, y.elements(), Scale<A>{dataOf<A>(x), dataOf<A>(y), factor});
  });
}

}  // namespace anneal::cuda
