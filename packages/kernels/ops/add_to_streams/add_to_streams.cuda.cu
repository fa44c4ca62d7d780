#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct AddToStreams {
  const A *x, *added;
  A* y;
  int64_t streams, width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float more[V];
    load<V>(added + row * width + column, more);
    for (int64_t j = 0; j < streams; j++) {
      const int64_t at = (row * streams + j) * width + column;
      float values[V];
      load<V>(x + at, values);
#pragma unroll
      for (int lane = 0; lane < V; lane++) values[lane] += more[lane];
      store<V>(y + at, values);
    }
  }
};

template <typename A>
struct SumStreams {
  const A* x;
  A* total;
  int64_t streams, width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float sums[V] = {};
    for (int64_t j = 0; j < streams; j++) {
      float values[V];
      load<V>(x + (row * streams + j) * width + column, values);
#pragma unroll
      for (int lane = 0; lane < V; lane++) sums[lane] += values[lane];
    }
    store<V>(total + row * width + column, sums);
  }
};

}  // namespace

const char* add_to_streams(const Launch& launch) {
  const Tensor x = launch.inputs[0], added = launch.inputs[1];
  const int64_t width = added.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const AddToStreams<A> body{dataOf<A>(x), dataOf<A>(added), dataOf<A>(launch.outputs[0]), x.shape[1] / width, width};
    overRows<A>(launch, x.shape[0], width, body);
  });
}

const char* sum_streams(const Launch& launch) {
  const Tensor x = launch.inputs[0], total = launch.outputs[0];
  const int64_t width = total.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, x.shape[0], width, SumStreams<A>{dataOf<A>(x), dataOf<A>(total), x.shape[1] / width, width});
  });
}

}  // namespace anneal::cuda
