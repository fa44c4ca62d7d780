#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** The instruction's reciprocal is within 1 ulp; correctly rounded it would make these kernels slower than their memory. */
__device__ inline float sigmoid(float z) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(1.0f + expf(-z)));
  return result;
}

template <typename A>
struct Swiglu {
  const A *gate, *up;
  A* y;

  template <int V>
  __device__ void run(int64_t i) const {
    float g[V], u[V];
    load<V>(gate + i, g);
    load<V>(up + i, u);
#pragma unroll
    for (int j = 0; j < V; j++) u[j] *= g[j] * sigmoid(g[j]);
    store<V>(y + i, u);
  }
};

/** Of rows [gate up]. */
template <typename A>
struct SwigluMerged {
  const A* x;
  A* y;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const A* gate = x + 2 * row * width;
    Swiglu<A>{gate, gate + width, y + row * width}.template run<V>(column);
  }
};

template <typename A>
struct SwigluBackward {
  const A *dy, *gate, *up;
  A *dgate, *dup;

  template <int V>
  __device__ void run(int64_t i) const {
    float d[V], g[V], u[V];
    load<V>(dy + i, d);
    load<V>(gate + i, g);
    load<V>(up + i, u);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float s = sigmoid(g[j]), z = g[j];
      g[j] = d[j] * u[j] * s * fmaf(z, 1.0f - s, 1.0f);
      u[j] = d[j] * z * s;
    }
    store<V>(dgate + i, g);
    store<V>(dup + i, u);
  }
};

template <typename A>
struct SwigluMergedBackward {
  const A *dy, *x;
  A* dx;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t gate = 2 * row * width, up = gate + width;
    SwigluBackward<A>{dy + row * width, x + gate, x + up, dx + gate, dx + up}.template run<V>(column);
  }
};

}  // namespace

const char* swiglu(const Launch& launch) {
  const Tensor gate = launch.inputs[0], up = launch.inputs[1], y = launch.outputs[0];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, y.elements(), Swiglu<A>{dataOf<A>(gate), dataOf<A>(up), dataOf<A>(y)});
  });
}

const char* swiglu_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], gate = launch.inputs[1], up = launch.inputs[2];
  const Tensor dgate = launch.outputs[0], dup = launch.outputs[1];
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, dy.elements(),
                    SwigluBackward<A>{dataOf<A>(dy), dataOf<A>(gate), dataOf<A>(up), dataOf<A>(dgate), dataOf<A>(dup)});
  });
}

const char* swiglu_merged(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, y.shape[0], y.shape[1], SwigluMerged<A>{dataOf<A>(x), dataOf<A>(y), y.shape[1]});
  });
}

const char* swiglu_merged_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], dx = launch.outputs[0];
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, dy.shape[0], dy.shape[1], SwigluMergedBackward<A>{dataOf<A>(dy), dataOf<A>(x), dataOf<A>(dx), dy.shape[1]});
  });
}

}  // namespace anneal::cuda
