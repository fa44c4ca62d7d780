#include "cuda/add_sums.cuh"
#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

constexpr int64_t kBlock = 16384;  // as in op.ts: elements of a partial sum
constexpr double kLeastNorm = 1e-7;  // torch's eps: a smaller norm counts as this

struct Momentum {
  const float *gradient, *clip;
  float* m;
  float keep, rest;

  /** What lies between gradient and momentum. */
  __device__ float between(int64_t i, float mean) const { return rest * (gradient[i] * *clip) + keep * mean; }
};

/** Moves the momentum, and sums the squares of what lies between; `total` becomes 0 for those who add to it. */
__global__ void __launch_bounds__(kElementThreads) momentumKernel(Momentum of, int64_t count, double* partial, double* total) {
  __shared__ double shared[kElementThreads / kWarp];
  const int64_t first = blockIdx.x * kBlock, end = min(first + kBlock, count);
  double sum = 0;
#pragma unroll 4
  for (int64_t i = first + threadIdx.x; i < end; i += kElementThreads) {
    const float mean = of.between(i, of.m[i]);
    const float value = of.between(i, mean);
    of.m[i] = mean;
    sum = fma(static_cast<double>(value), static_cast<double>(value), sum);
  }
  sum = joinBlock<kElementThreads>(sum, shared, Sum{});
  if (threadIdx.x != 0) return;
  partial[blockIdx.x] = sum;
  if (blockIdx.x == 0) *total = 0;
}

/** Writes a tall matrix turned over, in strides: little beside the products of the iteration. */
struct Direction {
  Momentum of;
  float* direction;
  const double* squareSum;
  int64_t rows, columns;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    static_assert(V == 1);
    const double norm = sqrt(*squareSum);
    const float inverse = static_cast<float>(1.0 / (norm < kLeastNorm ? kLeastNorm : norm));
    const int64_t i = row * columns + column;
    direction[rows > columns ? column * rows + row : i] = of.between(i, of.m[i]) * inverse;
  }
};

struct Apply {
  float* parameter;
  const float *direction, *learningRate;
  int64_t rows, columns;
  double weightDecay, scale;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    static_assert(V == 1);
    const double rate = *learningRate;
    const float decay = static_cast<float>(1.0 - rate * weightDecay), stepSize = static_cast<float>(rate * scale);
    const int64_t i = row * columns + column;
    parameter[i] = parameter[i] * decay - stepSize * direction[rows > columns ? column * rows + row : i];
  }
};

}  // namespace

/** Workspace: a sum of squares for every kBlock elements, then one of all. */
const char* muon_direction(const Launch& launch) {
  const Tensor m = launch.outputs[0];
  const int64_t count = m.elements(), blocks = ceilDivide(count, kBlock);
  if (count == 0) return nullptr;
  double *partial = reinterpret_cast<double*>(launch.workspace), *total = partial + blocks;
  const Momentum of{launch.inputs[0].f32(), launch.inputs[2].f32(), m.f32(), static_cast<float>(launch.attributes[0]),
                    static_cast<float>(1.0 - launch.attributes[0])};
  const cudaStream_t stream = contextOf(launch).stream;
  momentumKernel<<<static_cast<unsigned>(blocks), kElementThreads, 0, stream>>>(of, count, partial, total);
  addSums(stream, partial, blocks, total);
  overSingles(launch, m.shape[0], m.shape[1], Direction{of, launch.outputs[1].f32(), total, m.shape[0], m.shape[1]});
  return nullptr;
}

const char* muon_apply(const Launch& launch) {
  const Tensor parameter = launch.outputs[0];
  const int64_t rows = parameter.shape[0], columns = parameter.shape[1];
  if (rows == 0 || columns == 0) return nullptr;
  const double ratio = static_cast<double>(rows) / static_cast<double>(columns);
  const double scale = sqrt(ratio < 1.0 ? 1.0 : ratio);
  overSingles(launch, rows, columns,
              Apply{parameter.f32(), launch.inputs[1].f32(), launch.inputs[2].f32(), rows, columns, launch.attributes[0], scale});
  return nullptr;
}

}  // namespace anneal::cuda
