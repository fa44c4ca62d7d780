#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

struct SoftCap {
  float cap;
  __device__ float operator()(float x) const { return cap * tanhf(x / cap); }
};

template <typename A>
struct Slopes {
  const A *dy, *y;
  A* dx;
  float cap;

  template <int V>
  __device__ void run(int64_t i) const {
    float slopes[V], shares[V];
    load<V>(dy + i, slopes);
    load<V>(y + i, shares);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float share = shares[j] / cap;
      slopes[j] *= 1.0f - share * share;
    }
    store<V>(dx + i, slopes);
  }
};

}  // namespace

const char* soft_cap(const Launch& launch) { return mapElements(launch, SoftCap{static_cast<float>(launch.attributes[0])}); }

const char* soft_cap_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0];
  const float cap = static_cast<float>(launch.attributes[0]);
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, dy.elements(), Slopes<A>{dataOf<A>(dy), dataOf<A>(launch.inputs[1]), dataOf<A>(launch.outputs[0]), cap});
  });
}

}  // namespace anneal::cuda
