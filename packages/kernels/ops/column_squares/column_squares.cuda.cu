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

constexpr int kLines = 8;

/** Block (x, e): 32 columns of an expert; eight threads a column take its rows in turn. */
template <typename A>
__global__ void __launch_bounds__(kLines* kWarp) expertKernel(const A* x, const int32_t* offsets, float* total, int64_t rows, int width, int32_t* fault) {
  __shared__ float sums[kLines][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, line = static_cast<int>(threadIdx.x) / kWarp;
  const int column = static_cast<int>(blockIdx.x) * kWarp + lane;
  const int64_t first = offsets[blockIdx.y], end = offsets[blockIdx.y + 1];
  if (first < 0 || end > rows) {
    report(fault, Fault::row);
    return;
  }
  float sum = 0;
  if (column < width)
    for (int64_t row = first + line; row < end; row += kLines) {
      const float value = toFloat(x[row * width + column]);
      sum += value * value;
    }
  sums[line][lane] = sum;
  __syncthreads();
  if (line > 0 || column >= width) return;
  float all = 0;
  for (int other = 0; other < kLines; other++) all += sums[other][lane];
  total[int64_t{blockIdx.y} * width + column] += all;
}

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
  const Tensor x = launch.inputs[0], offsets = launch.inputs[1], total = launch.outputs[0];
  const int experts = static_cast<int>(offsets.shape[0]) - 1;
  const int64_t width = total.shape[0] / experts;
  const dim3 grid(static_cast<unsigned>(ceilDivide(width, kWarp)), experts);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    expertKernel<A><<<grid, kLines * kWarp, 0, contextOf(launch).stream>>>(dataOf<A>(x), offsets.i32(), total.f32(), x.elements() / width,
                                                                           static_cast<int>(width), contextOf(launch).fault);
  });
}

}  // namespace anneal::cuda
