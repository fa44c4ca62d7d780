#include "cuda/column_sums.cuh"

namespace anneal::cuda {
namespace {

constexpr int kNormThreads = 256;
/** Elements of each row's b that are held at a time. */
constexpr int kNormRanks = 64;

/**
 * Block (x, y) has kRows rows of linear y: what it reads of a serves all of them. A row's sum does not depend on how many there are.
 * Shared memory holds scale · b, [rank][row].
 */
template <int kRows, int V, typename W>
__global__ void __launch_bounds__(kNormThreads) doraNormKernel(const W* weight, const float* a, const float* b, float* norm, int3 ends, int64_t columns,
                                                               int rank, float scale) {
  __shared__ __align__(16) float factors[kNormRanks][kRows];
  const int linear = static_cast<int>(blockIdx.y);
  const int end = linear == 0 ? ends.x : linear == 1 ? ends.y : ends.z;
  const int first = (linear == 0 ? 0 : linear == 1 ? ends.x : ends.y) + static_cast<int>(blockIdx.x) * kRows;
  if (first >= end) return;
  a += int64_t{linear} * rank * columns;
  float squares[kRows] = {};
  for (int64_t from = 0; from < columns; from += kNormThreads * V) {
    const int64_t k = from + threadIdx.x * V;
    float values[kRows][V] = {};
    if (k < columns)
#pragma unroll
      for (int row = 0; row < kRows; row++)
        if (first + row < end) load<V>(weight + int64_t{first + row} * columns + k, values[row]);
    for (int r0 = 0; r0 < rank; r0 += kNormRanks) {
      const int ranks = min(kNormRanks, rank - r0);
      if (from == 0 || rank > kNormRanks) {
        __syncthreads();
        for (int i = static_cast<int>(threadIdx.x); i < ranks * kRows; i += kNormThreads) {
          const int row = i / ranks, r = i % ranks;
          factors[r][row] = first + row < end ? scale * b[int64_t{first + row} * rank + r0 + r] : 0;
        }
        __syncthreads();
      }
      if (k >= columns) continue;
#pragma unroll 2
      for (int r = 0; r < ranks; r++) {
        float others[V];
        load<V>(a + int64_t{r0 + r} * columns + k, others);
#pragma unroll
        for (int row = 0; row < kRows; row++)
#pragma unroll
          for (int j = 0; j < V; j++) values[row][j] = fmaf(factors[r][row], others[j], values[row][j]);
      }
    }
#pragma unroll
    for (int row = 0; row < kRows; row++)
#pragma unroll
      for (int j = 0; j < V; j++) squares[row] = fmaf(values[row][j], values[row][j], squares[row]);
  }
#pragma unroll
  for (int row = 0; row < kRows; row++) {
    const float total = sumGroup<kNormThreads>(squares[row]);
    if (threadIdx.x == 0 && first + row < end) norm[first + row] = sqrtf(total);
  }
}

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
    for (int j = 0; j < V; j++) values[j] *= lengths[j] / norms[j];
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
      scaled[j] = values[j] * (lengths[j] / norms[j]);
      values[j] *= others[j] / norms[j];
    }
    store<V>(dx + row * width + column, scaled);
  }
};

/** Where a launch has few blocks otherwise, each has fewer rows. */
template <int V, typename W>
void launchNorm(const Launch& launch, int3 ends, int linears) {
  const Tensor weight = launch.inputs[0], b = launch.inputs[2];
  const int longest = max(ends.x, max(ends.y - ends.x, ends.z - ends.y));
  const bool many = weight.shape[0] >= 16 * 264;
  const int rows = many ? 16 : 4;
  const auto kernel = many ? doraNormKernel<16, V, W> : doraNormKernel<4, V, W>;
  const dim3 grid(static_cast<unsigned>(ceilDivide(longest, rows)), static_cast<unsigned>(linears));
  kernel<<<grid, kNormThreads, 0, contextOf(launch).stream>>>(dataOf<W>(weight), launch.inputs[1].f32(), b.f32(), launch.outputs[0].f32(), ends,
                                                              weight.shape[1], static_cast<int>(b.shape[1]), static_cast<float>(launch.attributes[0]));
}

}  // namespace

const char* dora_norm(const Launch& launch) {
  const Tensor weight = launch.inputs[0];
  const int rows = static_cast<int>(weight.shape[0]);
  const int second = static_cast<int>(launch.attributes[1]), third = second + static_cast<int>(launch.attributes[2]);
  const int linears = 1 + (second < rows) + (third < rows);
  const int3 ends{min(second, rows), min(third, rows), rows};
  return withType(weight.type, [&](auto zero) {
    using W = decltype(zero);
    if (weight.shape[1] % 4 == 0)
      launchNorm<4, W>(launch, ends, linears);
    else
      launchNorm<1, W>(launch, ends, linears);
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
