#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

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

constexpr int kLines = 8;

/** Block (x, e): 32 columns of an expert; eight threads a column take its rows in turn. */
template <typename A>
__global__ void __launch_bounds__(kLines* kWarp) biasKernel(const A* dy, const int32_t* offsets, float* gradient, int64_t rows, int width, int32_t* fault) {
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
    for (int64_t row = first + line; row < end; row += kLines) sum += toFloat(dy[row * width + column]);
  sums[line][lane] = sum;
  __syncthreads();
  if (line > 0 || column >= width) return;
  float total = 0;
  for (int other = 0; other < kLines; other++) total += sums[other][lane];
  gradient[int64_t{blockIdx.y} * width + column] += total;
}

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
  const Tensor dy = launch.inputs[0], offsets = launch.inputs[1], gradient = launch.outputs[0];
  const int experts = static_cast<int>(offsets.shape[0]) - 1;
  const int64_t width = gradient.shape[0] / experts;
  const dim3 grid(static_cast<unsigned>(ceilDivide(width, kWarp)), experts);
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    biasKernel<A><<<grid, kLines * kWarp, 0, contextOf(launch).stream>>>(dataOf<A>(dy), offsets.i32(), gradient.f32(), dy.elements() / width,
                                                                         static_cast<int>(width), contextOf(launch).fault);
  });
}

}  // namespace anneal::cuda
