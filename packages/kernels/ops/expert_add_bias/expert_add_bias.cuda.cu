#include "cuda/column_sums.cuh"

namespace anneal::cuda {
namespace {

/** The expert of a row. The offsets are expert_route's: whatever they are, it is one of the experts. */
__device__ int expertOf(const int32_t* offsets, int experts, int64_t row) {
  int low = 0, high = experts - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (offsets[middle] <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

template <typename A>
struct AddBias {
  const A* x;
  const float* bias;
  const int32_t* offsets;
  A* y;
  int64_t width;
  int experts;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float values[V], added[V];
    load<V>(x + row * width + column, values);
    load<V>(bias + expertOf(offsets, experts, row) * width + column, added);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] += added[j];
    store<V>(y + row * width + column, values);
  }
};

struct Itself {
  __device__ float operator()(float value) const { return value; }
};

}  // namespace

const char* expert_add_bias(const Launch& launch) {
  const Tensor x = launch.inputs[0], bias = launch.inputs[1], offsets = launch.inputs[2], y = launch.outputs[0];
  const int experts = static_cast<int>(offsets.shape[0]) - 1;
  const int64_t width = bias.shape[0] / experts;
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    overRows<A>(launch, x.elements() / width, width, AddBias<A>{dataOf<A>(x), bias.f32(), offsets.i32(), dataOf<A>(y), width, experts});
  });
}

const char* expert_add_bias_backward(const Launch& launch) {
  return expertColumnSums(launch, launch.inputs[0], launch.inputs[1], launch.outputs[0], Itself{});
}

}  // namespace anneal::cuda
