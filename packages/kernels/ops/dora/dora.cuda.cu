#include "cuda/column_sums.cuh"
#include "tensor_norm.cuh"

namespace anneal::cuda {
namespace {

constexpr int kNormThreads = 256;

/** A block a row, for any number of columns and any rank. */
template <typename W>
__global__ void __launch_bounds__(kNormThreads) doraNormKernel(const W* weight, const float* a, const float* b, float* norm, NormRows rows, int64_t columns,
                                                               int rank, float scale) {
  const int row = static_cast<int>(blockIdx.x);
  a += int64_t{(row >= rows.end(0)) + (row >= rows.end(1))} * rank * columns;
  float squares = 0;
  for (int64_t k = threadIdx.x; k < columns; k += kNormThreads) {
    float value = toFloat(weight[row * columns + k]);
    for (int r = 0; r < rank; r++) value = fmaf(scale * b[int64_t{row} * rank + r], a[r * columns + k], value);
    squares = fmaf(value, value, squares);
  }
  squares = sumGroup<kNormThreads>(squares);
  if (threadIdx.x == 0) norm[row] = sqrtf(squares);
}

/** Within 2⁻²² of it: exact divisions would take longer than the memory. */
__device__ inline float inverse(float norm) { return __fdividef(1.0f, norm); }

template <typename A>
struct DoraScale {
  const A* x;
  const float *magnitude, *norm;
  /** Null without. */
  const A* plus;
  A* y;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    float values[V], lengths[V], norms[V];
    load<V>(x + row * width + column, values);
    load<V>(magnitude + column, lengths);
    load<V>(norm + column, norms);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= lengths[j] * inverse(norms[j]);
    if (plus) {
      float others[V];
      load<V>(plus + row * width + column, others);
#pragma unroll
      for (int j = 0; j < V; j++) values[j] += others[j];
    }
    store<V>(y + row * width + column, values);
  }
};

/** The terms of the magnitude's gradient; each element of dx is written on the way, where dy or x may be. */
template <typename A>
struct ScaleGradient {
  const A *dy, *x;
  const float *magnitude, *norm;
  A* dx;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column, float (&values)[V]) const {
    float others[V], lengths[V], norms[V], scaled[V];
    load<V>(dy + row * width + column, values);
    load<V>(x + row * width + column, others);
    load<V>(magnitude + column, lengths);
    load<V>(norm + column, norms);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float inverseNorm = inverse(norms[j]);
      scaled[j] = values[j] * (lengths[j] * inverseNorm);
      values[j] *= others[j] * inverseNorm;
    }
    store<V>(dx + row * width + column, scaled);
  }
};

}  // namespace

const char* dora_norm(const Launch& launch) {
  const Tensor weight = launch.inputs[0], b = launch.inputs[2];
  const int64_t columns = weight.shape[1];
  const int rank = static_cast<int>(b.shape[1]);
  const float* a = launch.inputs[1].f32();
  float* norm = launch.outputs[0].f32();
  const float scale = static_cast<float>(launch.attributes[0]);
  const NormRows rows(static_cast<int>(weight.shape[0]), static_cast<int>(launch.attributes[1]), static_cast<int>(launch.attributes[2]));
  cudaStream_t stream = contextOf(launch).stream;
  return withType(weight.type, [&](auto zero) {
    using W = decltype(zero);
    if (takesTensorNorm(columns, rank))
      tensorNorm(stream, dataOf<W>(weight), a, b.f32(), norm, rows, static_cast<int>(columns), rank, scale);
    else
      doraNormKernel<W><<<static_cast<unsigned>(rows.total()), kNormThreads, 0, stream>>>(dataOf<W>(weight), a, b.f32(), norm, rows, columns, rank, scale);
  });
}

const char* dora_scale(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    const DoraScale<A> body{dataOf<A>(x), launch.inputs[1].f32(), launch.inputs[2].f32(), dataOf<A>(launch.inputs[3]), dataOf<A>(y), x.shape[1]};
    overRows<A>(launch, x.shape[0], x.shape[1], body);
  });
}

/** Workspace: columnSums of T rows. */
const char* dora_scale_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], dx = launch.outputs[0];
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    const ScaleGradient<A> terms{dataOf<A>(dy), dataOf<A>(x), launch.inputs[2].f32(), launch.inputs[3].f32(), dataOf<A>(dx), dy.shape[1]};
    columnSums<A>(launch, dy.shape[0], dy.shape[1], terms, launch.outputs[1].f32());
  });
}

}  // namespace anneal::cuda
