#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

/** A row of [T · C, D] is a token's copy for one of its choices. */
template <typename A>
struct Dispatch {
  const A* x;
  const int32_t* places;
  A* y;
  int64_t rows, width, choices;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float values[V];
    load<V>(x + row / choices * width + column, values);
    store<V>(y + checkedId(places[row], rows, fault, Fault::row) * width + column, values);
  }
};

/** Choices whose rows are read ahead. With other numbers the compiler spills, for the sake of more blocks at a time. */
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ != 900
constexpr int kChoicesAtOnce = 2;
#else
constexpr int kChoicesAtOnce = 4;
#endif

template <typename A>
struct Combine {
  const A* x;
  const int32_t* places;
  const float* gates;
  const A* c;
  A* y;
  int64_t rows, width;
  int choices;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t token, int column) const {
    float sum[V] = {}, values[V];
    if (c) load<V>(c + token * width + column, sum);
#pragma unroll kChoicesAtOnce
    for (int64_t i = token * choices; i < (token + 1) * choices; i++) {
      load<V>(x + checkedId(places[i], rows, fault, Fault::row) * width + column, values);
      const float gate = gates ? gates[i] : 1.0f;
#pragma unroll
      for (int j = 0; j < V; j++) sum[j] = fmaf(gate, values[j], sum[j]);
    }
    store<V>(y + token * width + column, sum);
  }
};

template <typename A>
struct CombineBackward {
  const A *dy, *x;
  const int32_t* places;
  const float* gates;
  A* dx;
  float* dgates;
  int64_t rows;
  int width, choices;
  int32_t* fault;
};

constexpr int kThreads = 256;

/** A warp for each assignment. */
template <int V, typename A>
__global__ void __launch_bounds__(kThreads) combineBackwardKernel(CombineBackward<A> p) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t i = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (i >= p.rows) return;
  const int64_t place = checkedId(p.places[i], p.rows, p.fault, Fault::row);
  const A *dy = p.dy + i / p.choices * p.width, *x = p.x + place * p.width;
  A* dx = p.dx + place * p.width;
  const float gate = p.gates[i];
  float product = 0;
  for (int column = lane * V; column < p.width; column += kWarp * V) {
    float d[V], with[V];
    load<V>(dy + column, d);
    load<V>(x + column, with);
#pragma unroll
    for (int j = 0; j < V; j++) product = fmaf(d[j], with[j], product), d[j] *= gate;
    store<V>(dx + column, d);
  }
  product = joinLanes<kWarp>(product, Sum{});
  if (lane == 0) p.dgates[i] = product;
}

}  // namespace

const char* expert_dispatch(const Launch& launch) {
  const Tensor x = launch.inputs[0], places = launch.inputs[1];
  const int64_t rows = places.elements(), width = x.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, rows, width,
                Dispatch<A>{dataOf<A>(x), places.i32(), dataOf<A>(launch.outputs[0]), rows, width, places.shape[1], contextOf(launch).fault});
  });
}

const char* expert_combine(const Launch& launch) {
  const Tensor x = launch.inputs[0], places = launch.inputs[1], gates = launch.inputs[2], c = launch.inputs[3], y = launch.outputs[0];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, y.shape[0], y.shape[1],
                Combine<A>{dataOf<A>(x), places.i32(), gates.f32(), dataOf<A>(c), dataOf<A>(y), places.elements(), y.shape[1],
                           static_cast<int>(places.shape[1]), contextOf(launch).fault});
  });
}

const char* expert_combine_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], places = launch.inputs[2];
  const int64_t rows = places.elements();
  const int width = static_cast<int>(dy.shape[1]);
  if (rows == 0) return nullptr;
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    const CombineBackward<A> p{dataOf<A>(dy), dataOf<A>(x), places.i32(), launch.inputs[3].f32(), dataOf<A>(launch.outputs[0]), launch.outputs[1].f32(),
                               rows,          width,        static_cast<int>(places.shape[1]),    contextOf(launch).fault};
    const auto kernel = vectorRows(width, kLanes<A>) ? combineBackwardKernel<kLanes<A>, A> : combineBackwardKernel<1, A>;
    kernel<<<static_cast<unsigned>(ceilDivide(rows, kThreads / kWarp)), kThreads, 0, contextOf(launch).stream>>>(p);
  });
}

}  // namespace anneal::cuda
