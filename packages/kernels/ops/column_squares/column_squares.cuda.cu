#include "cuda/column_sums.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct Squares {
  const A* x;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column, float (&values)[V]) const {
    load<V>(x + row * width + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= values[j];
  }
};

struct Square {
  __device__ float operator()(float value) const { return value * value; }
};

}  // namespace

/** Workspace: columnSums of T rows. */
const char* column_squares(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    columnSums<A>(launch, x.shape[0], x.shape[1], Squares<A>{dataOf<A>(x), x.shape[1]}, launch.outputs[0].f32());
  });
}

const char* expert_column_squares(const Launch& launch) {
  return expertColumnSums(launch, launch.inputs[0], launch.inputs[1], launch.outputs[0], Square{});
}

}  // namespace anneal::cuda
