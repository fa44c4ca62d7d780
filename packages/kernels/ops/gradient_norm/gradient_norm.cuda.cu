#include "cuda/add_sums.cuh"
#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

constexpr int64_t kBlock = 16384;  // as in op.ts: elements of a partial sum
constexpr int V = kLanes<float>;

__global__ void __launch_bounds__(kElementThreads) squareSumKernel(const float* x, int64_t count, double* partial) {
  __shared__ double shared[kElementThreads / kWarp];
  const int64_t first = blockIdx.x * kBlock;
  double sum = 0;
#pragma unroll 8
  for (int64_t j = threadIdx.x * V; j < kBlock; j += kElementThreads * V) {
    const int64_t i = first + j;
    float values[V] = {};
    if (i + V <= count)
      load<V>(x + i, values);
    else
      for (int k = 0; k < V; k++) values[k] = i + k < count ? x[i + k] : 0.0f;
#pragma unroll
    for (int k = 0; k < V; k++) sum = fma(static_cast<double>(values[k]), static_cast<double>(values[k]), sum);
  }
  sum = joinBlock<kElementThreads>(sum, shared, Sum{});
  if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

__global__ void clipScaleKernel(const double* sum, double maxNorm, float* norm, float* scale) {
  const double root = sqrt(*sum);
  const double factor = maxNorm > 0 ? maxNorm / (root + 1e-6) : 1.0;
  *norm = static_cast<float>(root);
  *scale = factor < 1.0 ? static_cast<float>(factor) : 1.0f;
}

}  // namespace

const char* square_sum(const Launch& launch) {
  const int64_t count = launch.inputs[0].elements(), blocks = ceilDivide(count, kBlock);
  if (count == 0) return nullptr;
  double* partial = reinterpret_cast<double*>(launch.workspace);
  cudaStream_t stream = contextOf(launch).stream;
  squareSumKernel<<<static_cast<unsigned>(blocks), kElementThreads, 0, stream>>>(launch.inputs[0].f32(), count, partial);
  addSums(stream, partial, blocks, launch.outputs[0].f64());
  return nullptr;
}

const char* clip_scale(const Launch& launch) {
  clipScaleKernel<<<1, 1, 0, contextOf(launch).stream>>>(launch.inputs[0].f64(), launch.attributes[0], launch.outputs[0].f32(), launch.outputs[1].f32());
  return nullptr;
}

}  // namespace anneal::cuda
