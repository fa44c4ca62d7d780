#include "../swiglu/swiglu_values.cuh"
#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** Rows [gate up] of `width` elements each. */
template <typename A>
struct ExpertSwiglu {
  const A* x;
  A* y;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const A* gate = x + 2 * row * width + column;
    float g[V], u[V];
    load<V>(gate, g);
    load<V>(gate + width, u);
    swigluOf<false>(g, u);
    store<V>(y + row * width + column, u);
  }
};

template <typename A>
struct ExpertSwigluBackward {
  const A *dy, *x;
  A* dx;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t gate = 2 * row * width + column, up = gate + width;
    float d[V], g[V], u[V];
    load<V>(dy + row * width + column, d);
    load<V>(x + gate, g);
    load<V>(x + up, u);
    swigluSlopes<false>(d, g, u);
    store<V>(dx + gate, g);
    store<V>(dx + up, u);
  }
};

}  // namespace

const char* expert_swiglu(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, y.elements() / width, width, ExpertSwiglu<A>{dataOf<A>(x), dataOf<A>(y), width});
  });
}

const char* expert_swiglu_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], dx = launch.outputs[0];
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, dy.elements() / width, width, ExpertSwigluBackward<A>{dataOf<A>(dy), dataOf<A>(x), dataOf<A>(dx), width});
  });
}

}  // namespace anneal::cuda
