#include <cmath>

#include "../swiglu/swiglu_values.cuh"
#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** What `expert_swiglu` does to a gate and its up. A comparison with a NaN is false, so that it stays one. */
struct Activation {
  float alpha, limit, up_offset;

  explicit Activation(const double* attributes)
      : alpha(static_cast<float>(attributes[1])), limit(attributes[2] > 0 ? static_cast<float>(attributes[2]) : INFINITY),
        up_offset(static_cast<float>(attributes[3])) {}

  __device__ float gateOf(float gate) const { return gate > limit ? limit : gate; }
  __device__ float upOf(float up) const { return (up > limit ? limit : up < -limit ? -limit : up) + up_offset; }

  __device__ float of(float gate, float up) const {
    const float g = gateOf(gate);
    return g * sigmoid(alpha * g) * upOf(up);
  }

  /** gate and up become their gradients. */
  __device__ void slopes(float dy, float& gate, float& up) const {
    const float g = gateOf(gate), u = upOf(up), s = sigmoid(alpha * g);
    gate = gate > limit ? 0.0f : dy * u * s * fmaf(alpha * g, 1.0f - s, 1.0f);
    up = fabsf(up) > limit ? 0.0f : dy * g * s;
  }
};

/** Rows [gate up] of `width` elements each. */
template <typename A>
struct ExpertSwiglu {
  const A* x;
  A* y;
  int64_t width;
  Activation activation;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const A* gate = x + 2 * row * width + column;
    float g[V], u[V];
    load<V>(gate, g);
    load<V>(gate + width, u);
#pragma unroll
    for (int i = 0; i < V; i++) u[i] = activation.of(g[i], u[i]);
    store<V>(y + row * width + column, u);
  }
};

template <typename A>
struct ExpertSwigluBackward {
  const A *dy, *x;
  A* dx;
  int64_t width;
  Activation activation;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t gate = 2 * row * width + column, up = gate + width;
    float d[V], g[V], u[V];
    load<V>(dy + row * width + column, d);
    load<V>(x + gate, g);
    load<V>(x + up, u);
#pragma unroll
    for (int i = 0; i < V; i++) activation.slopes(d[i], g[i], u[i]);
    store<V>(dx + gate, g);
    store<V>(dx + up, u);
  }
};

}  // namespace

const char* expert_swiglu(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  const Activation activation(launch.attributes);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, y.elements() / width, width, ExpertSwiglu<A>{dataOf<A>(x), dataOf<A>(y), width, activation});
  });
}

const char* expert_swiglu_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], dx = launch.outputs[0];
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  const Activation activation(launch.attributes);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, dy.elements() / width, width,
                ExpertSwigluBackward<A>{dataOf<A>(dy), dataOf<A>(x), dataOf<A>(dx), width, activation});
  });
}

}  // namespace anneal::cuda
