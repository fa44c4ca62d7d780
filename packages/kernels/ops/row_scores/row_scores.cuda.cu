#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 128;

/** One block a row. */
template <typename A>
__global__ void __launch_bounds__(kThreads)
    rowScoresKernel(const A* x, const float* weight, const int32_t* rows, int64_t height, int64_t width, int32_t* fault, float* scores) {
  __shared__ double partial[kThreads / kWarp];
  const A* row = x + checkedId(rows[blockIdx.x], height, fault, Fault::row) * width;
  double sum = 0;
  for (int64_t d = threadIdx.x; d < width; d += kThreads) {
    float value[1];
    load<1>(row + d, value);
    sum += static_cast<double>(value[0]) * static_cast<double>(weight[d]);
  }
  sum = joinBlock<kThreads>(sum, partial, Sum{});
  if (threadIdx.x == 0) scores[blockIdx.x] = static_cast<float>(sum);
}

/** The rows of dx that are not zero. */
template <typename A>
struct SpreadScores {
  const float* weight;
  const int32_t* rows;
  const float* dscores;
  A* dx;
  int64_t height, width;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t into = checkedId(rows[row], height, fault, Fault::row);
    float values[V];
    load<V>(weight + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= dscores[row];
    store<V>(dx + into * width + column, values);
  }
};

/** A thread a column: its sum runs over the rows in their order. */
template <typename A>
__global__ void __launch_bounds__(kThreads)
    scoreGradientKernel(const A* x, const int32_t* rows, const float* dscores, int64_t count, int64_t height, int64_t width, int32_t* fault, float* total) {
  const int64_t d = int64_t{blockIdx.x} * kThreads + threadIdx.x;
  if (d >= width) return;
  double sum = 0;
  for (int64_t r = 0; r < count; r++) {
    float value[1];
    load<1>(x + checkedId(rows[r], height, fault, Fault::row) * width + d, value);
    sum += static_cast<double>(dscores[r]) * static_cast<double>(value[0]);
  }
  total[d] += static_cast<float>(sum);
}

}  // namespace

const char* row_scores(const Launch& launch) {
  const Tensor x = launch.inputs[0], rows = launch.inputs[2];
  const CudaContext& context = contextOf(launch);
  if (rows.shape[0] == 0) return nullptr;
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    rowScoresKernel<A><<<static_cast<unsigned>(rows.shape[0]), kThreads, 0, context.stream>>>(
        dataOf<A>(x), launch.inputs[1].f32(), rows.i32(), x.shape[0], x.shape[1], context.fault, launch.outputs[0].f32());
  });
}

const char* row_scores_backward(const Launch& launch) {
  const Tensor x = launch.inputs[0], rows = launch.inputs[2], dx = launch.outputs[0], total = launch.outputs[1];
  const float* dscores = launch.inputs[3].f32();
  const CudaContext& context = contextOf(launch);
  const int64_t height = x.shape[0], width = x.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    cudaMemsetAsync(dx.data, 0, dx.elements() * sizeof(A), context.stream);
    overRows<A>(launch, rows.shape[0], width,
                SpreadScores<A>{launch.inputs[1].f32(), rows.i32(), dscores, dataOf<A>(dx), height, width, context.fault});
    if (total.absent() || width == 0) return;
    scoreGradientKernel<A><<<static_cast<unsigned>(ceilDivide(width, kThreads)), kThreads, 0, context.stream>>>(
        dataOf<A>(x), rows.i32(), dscores, rows.shape[0], height, width, context.fault, total.f32());
  });
}

}  // namespace anneal::cuda
