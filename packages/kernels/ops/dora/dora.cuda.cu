#include "cuda/column_sums.cuh"

namespace anneal::cuda {
namespace {

constexpr int kNormThreads = 256;

/** A block a row. */
template <typename W>
__global__ void __launch_bounds__(kNormThreads)
    doraNormKernel(const W* weight, const float* a, const float* b, float* norm, int64_t columns, int rank, float scale) {
  const int64_t row = blockIdx.x;
  float squares = 0;
  for (int64_t k = threadIdx.x; k < columns; k += kNormThreads) {
    float value[1];
    load<1>(weight + row * columns + k, value);
    for (int r = 0; r < rank; r++) value[0] = fmaf(scale * b[row * rank + r], a[r * columns + k], value[0]);
    squares = fmaf(value[0], value[0], squares);
  }
  squares = sumGroup<kNormThreads>(squares);
  if (threadIdx.x == 0) norm[row] = sqrtf(squares);
}

template <typename A>
struct DoraScale {
  const A* x;
  const float *magnitude, *norm;
  A* y;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float values[V], lengths[V], norms[V];
    load<V>(x + row * width + column, values);
    load<V>(magnitude + column, lengths);
    load<V>(norm + column, norms);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= lengths[j] / norms[j];
    store<V>(y + row * width + column, values);
  }
};

template <typename A>
struct Products {
  const A *dy, *x;
  const float* norm;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column, float (&values)[V]) const {
    float others[V], norms[V];
    load<V>(dy + row * width + column, values);
    load<V>(x + row * width + column, others);
    load<V>(norm + column, norms);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= others[j] / norms[j];
  }
};

}  // namespace

const char* dora_norm(const Launch& launch) {
  const Tensor weight = launch.inputs[0], a = launch.inputs[1], b = launch.inputs[2];
  const float scale = static_cast<float>(launch.attributes[0]);
  return withType(weight.type, [&](auto zero) {
    using W = decltype(zero);
    doraNormKernel<W><<<static_cast<unsigned>(weight.shape[0]), kNormThreads, 0, contextOf(launch).stream>>>(
        dataOf<W>(weight), a.f32(), b.f32(), launch.outputs[0].f32(), weight.shape[1], static_cast<int>(a.shape[0]), scale);
  });
}

const char* dora_scale(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    const DoraScale<A> body{dataOf<A>(x), launch.inputs[1].f32(), launch.inputs[2].f32(), dataOf<A>(y), x.shape[1]};
    overRows<A>(launch, x.shape[0], x.shape[1], body);
  });
}

/** Workspace: columnSums of T rows. */
const char* dora_scale_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1];
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    const Products<A> products{dataOf<A>(dy), dataOf<A>(x), launch.inputs[2].f32(), dy.shape[1]};
    columnSums<A>(launch, dy.shape[0], dy.shape[1], products, launch.outputs[0].f32());
  });
}

}  // namespace anneal::cuda
