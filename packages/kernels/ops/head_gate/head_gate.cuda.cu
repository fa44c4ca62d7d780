#include "cuda/gates.cuh"
#include "cuda/row_shape.cuh"

namespace anneal::cuda {
namespace {

/** A row is a head: [query gate] in x. */
template <bool Split, typename A>
struct Heads {
  A *x, *q, *gate;
  int64_t size;

  template <int V>
  __device__ void run(int64_t head, int column) const {
    const int64_t pair = 2 * head * size + column, single = head * size + column;
    move<V>(x + pair, q + single);
    move<V>(x + pair + size, gate + single);
  }

  template <int V>
  __device__ static void move(A* both, A* part) {
    copyVector<V>(Split ? part : both, Split ? both : part);
  }
};

template <bool Split>
const char* moveHeads(const Launch& launch, const Tensor& x, const Tensor& q, const Tensor& gate) {
  const int64_t size = static_cast<int64_t>(launch.attributes[0]);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, q.elements() / size, size, Heads<Split, A>{dataOf<A>(x), dataOf<A>(q), dataOf<A>(gate), size});
  });
}

/** y = x · σ(gate). */
template <typename A>
struct Gated {
  const A *x, *gate;
  A* y;
  int64_t columns;  // of a gate

  /** A gate for each element. */
  template <int V>
  __device__ void run(int64_t i) const {
    float values[V], gates[V];
    load<V>(x + i, values);
    load<V>(gate + i, gates);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= sigmoid(gates[j]);
    store<V>(y + i, values);
  }

  /** A gate for each row. */
  template <int V>
  __device__ void run(int64_t row, int column) const {
    const float s = sigmoid(toFloat(gate[row]));
    float values[V];
    load<V>(x + row * columns + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= s;
    store<V>(y + row * columns + column, values);
  }
};

template <typename A>
struct Slopes {
  const A *dy, *x, *gate;
  A *dx, *dgate;

  /** A gate for each element. */
  template <int V>
  __device__ void run(int64_t i) const {
    float d[V], values[V], gates[V];
    load<V>(dy + i, d);
    load<V>(x + i, values);
    load<V>(gate + i, gates);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float s = sigmoid(gates[j]);
      gates[j] = d[j] * values[j] * s * (1.0f - s);
      d[j] *= s;
    }
    store<V>(dx + i, d);
    store<V>(dgate + i, gates);
  }
};

/** A gate for each row. */
template <int V, int Group, typename A>
__global__ void __launch_bounds__(kRowThreads) rowGateSlopesKernel(int64_t rows, int width, Slopes<A> of) {
  const Place place = placeOf<Group>(rows);
  const float s = sigmoid(toFloat(of.gate[place.row]));
  float products = 0;
  if (place.real)  // dx may be dy or x: nobody else reads these
    forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
      const int64_t at = place.row * width + column;
      float d[V], values[V];
      load<V>(of.dy + at, d);
      load<V>(of.x + at, values);
#pragma unroll
      for (int j = 0; j < V; j++) {
        products = fmaf(d[j], values[j], products);
        d[j] *= s;
      }
      store<V>(of.dx + at, d);
    });
  products = sumGroup<Group>(products);
  __syncthreads();  // dgate may be gate: all have read it
  if (place.real && place.lane == 0) of.dgate[place.row] = fromFloat<A>(products * s * (1.0f - s));
}

}  // namespace

const char* split_gate(const Launch& launch) { return moveHeads<true>(launch, launch.inputs[0], launch.outputs[0], launch.outputs[1]); }

const char* join_gate(const Launch& launch) { return moveHeads<false>(launch, launch.outputs[0], launch.inputs[0], launch.inputs[1]); }

const char* sigmoid_gate(const Launch& launch) {
  const Tensor x = launch.inputs[0], gate = launch.inputs[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Gated<A> body{dataOf<A>(x), dataOf<A>(gate), dataOf<A>(launch.outputs[0]), x.shape[1] / gate.shape[1]};
    if (body.columns == 1)
      overElements<A>(launch, x.elements(), body);
    else
      overRows<A>(launch, gate.elements(), body.columns, body);
  });
}

const char* sigmoid_gate_backward(const Launch& launch) {
  const Tensor x = launch.inputs[1], gate = launch.inputs[2];
  const int64_t columns = x.shape[1] / gate.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Slopes<A> of{dataOf<A>(launch.inputs[0]), dataOf<A>(x), dataOf<A>(gate), dataOf<A>(launch.outputs[0]), dataOf<A>(launch.outputs[1])};
    if (columns == 1) {
      overElements<A>(launch, x.elements(), of);
      return;
    }
    withRowShape<A>(columns, [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, gate.elements(), columns, rowGateSlopesKernel<S::V, S::group, A>, of);
    });
  });
}

}  // namespace anneal::cuda
