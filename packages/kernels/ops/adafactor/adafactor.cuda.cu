#include "cuda/column_sums.cuh"
#include "cuda/row_shape.cuh"
#include "rates.h"

namespace anneal::cuda {
namespace {

constexpr int kMeanThreads = 512;

/** What is found out on the way to a move. */
struct Found {
  AdafactorRates rates;
  float rowMean;
  float stepSize;  // with what scales the move down
};

/** A matrix and what is remembered of it. */
struct MatrixStep {
  const float *gradient, *clip;
  float *parameter, *row, *column;
  Found* found;
  float* columnFactors;
  double* rowSquares;
  int64_t rows, columns;

  template <int V>
  __device__ void clipped(int64_t i, int j, float (&g)[V]) const {
    load<V>(gradient + i * columns + j, g);
#pragma unroll
    for (int k = 0; k < V; k++) g[k] *= *clip;
  }

  /** The move of V neighboring elements, but for the step size. */
  template <int V>
  __device__ void move(int64_t i, int j, float rowFactor, float (&g)[V]) const {
    float factors[V];
    clipped<V>(i, j, g);
    load<V>(columnFactors + j, factors);
#pragma unroll
    for (int k = 0; k < V; k++) g[k] *= rowFactor * factors[k];
  }

  __device__ float rowFactor(int64_t i) const { return 1.0f / sqrtf(row[i] / found->rowMean); }
};

__global__ void ratesKernel(const float* learningRate, const int32_t* step, double weightDecay, Found* found) {
  found->rates = adafactorRates(*learningRate, *step, weightDecay);
}

template <int V, int Group>
__global__ void __launch_bounds__(kRowThreads) rowMeansKernel(int64_t rows, int width, MatrixStep of) {
  const Place place = placeOf<Group>(rows);
  float sum = 0;
  forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
    float g[V];
    of.clipped<V>(place.row, column, g);
#pragma unroll
    for (int k = 0; k < V; k++) sum = fmaf(g[k], g[k], sum);
  });
  sum = sumGroup<Group>(sum);
  if (!place.real || place.lane != 0) return;
  const AdafactorRates rates = of.found->rates;
  of.row[place.row] = rates.keep * of.row[place.row] + rates.add * (sum / static_cast<float>(width) + kAdafactorEpsilon);
}

struct Squares {
  MatrixStep of;

  template <int V>
  __device__ void run(int64_t row, int column, float (&values)[V]) const {
    of.clipped<V>(row, column, values);
#pragma unroll
    for (int k = 0; k < V; k++) values[k] *= values[k];
  }
};

/** From the sums over columns, which lie in columnFactors, to the means, and to what a move is multiplied by. */
struct ColumnMeans {
  MatrixStep of;

  template <int V>
  __device__ void run(int64_t j) const {
    const AdafactorRates rates = of.found->rates;
    float sums[V], means[V];
    load<V>(of.columnFactors + j, sums);
    load<V>(of.column + j, means);
#pragma unroll
    for (int k = 0; k < V; k++) {
      means[k] = rates.keep * means[k] + rates.add * (sums[k] / static_cast<float>(of.rows) + kAdafactorEpsilon);
      sums[k] = 1.0f / sqrtf(means[k]);
    }
    store<V>(of.column + j, means);
    store<V>(of.columnFactors + j, sums);
  }
};

/** The sum of value(0) … value(count - 1), in one order, for one block. */
template <typename Value>
__device__ double sumOf(int64_t count, double* partial, Value value) {
  double sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kMeanThreads) sum += static_cast<double>(value(i));
  return joinBlock<kMeanThreads>(sum, partial, Sum{});
}

__global__ void __launch_bounds__(kMeanThreads) rowMeanKernel(MatrixStep of) {
  __shared__ double partial[kMeanThreads / kWarp];
  const double sum = sumOf(of.rows, partial, [&](int64_t i) { return of.row[i]; });
  if (threadIdx.x == 0) of.found->rowMean = static_cast<float>(sum / static_cast<double>(of.rows));
}

template <int V, int Group>
__global__ void __launch_bounds__(kRowThreads) moveSquaresKernel(int64_t rows, int width, MatrixStep of) {
  const Place place = placeOf<Group>(rows);
  const float rowFactor = of.rowFactor(place.row);
  float sum = 0;
  forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
    float move[V];
    of.move<V>(place.row, column, rowFactor, move);
#pragma unroll
    for (int k = 0; k < V; k++) sum = fmaf(move[k], move[k], sum);
  });
  sum = sumGroup<Group>(sum);
  if (place.real && place.lane == 0) of.rowSquares[place.row] = sum;
}

__global__ void __launch_bounds__(kMeanThreads) stepSizeKernel(MatrixStep of) {
  __shared__ double partial[kMeanThreads / kWarp];
  const double sum = sumOf(of.rows, partial, [&](int64_t i) { return of.rowSquares[i]; });
  if (threadIdx.x == 0) of.found->stepSize = of.found->rates.stepSize * scaleOfMove(sum, of.rows * of.columns);
}

struct Apply {
  MatrixStep of;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const float decay = of.found->rates.decay, stepSize = of.found->stepSize;
    float move[V], values[V];
    of.move<V>(row, column, of.rowFactor(row), move);
    float* at = of.parameter + row * of.columns + column;
    load<V>(at, values);
#pragma unroll
    for (int k = 0; k < V; k++) values[k] = values[k] * decay - stepSize * move[k];
    store<V>(at, values);
  }
};

struct VectorStep {
  const float *gradient, *clip;
  float *parameter, *v;
  const Found* found;
  int64_t size;
};

/** One block, whose threads see elements of their own. */
__global__ void __launch_bounds__(kMeanThreads) vectorKernel(VectorStep of) {
  __shared__ double partial[kMeanThreads / kWarp];
  const AdafactorRates rates = of.found->rates;
  const float clip = *of.clip;
  const double squareSum = sumOf(of.size, partial, [&](int64_t i) {
    const float g = of.gradient[i] * clip, square = rates.keep * of.v[i] + rates.add * (g * g + kAdafactorEpsilon), move = g / sqrtf(square);
    of.v[i] = square;
    return static_cast<double>(move) * static_cast<double>(move);
  });
  const float stepSize = rates.stepSize * scaleOfMove(squareSum, of.size);
  for (int64_t i = threadIdx.x; i < of.size; i += kMeanThreads)
    of.parameter[i] = of.parameter[i] * rates.decay - stepSize * (of.gradient[i] * clip / sqrtf(of.v[i]));
}

}  // namespace

/** Workspace: columnSums of R rows, then Found, a factor for each column, and a sum of squares for each row. */
const char* adafactor(const Launch& launch) {
  const Tensor parameter = launch.outputs[0];
  const int64_t rows = parameter.shape[0], columns = parameter.shape[1];
  if (rows == 0 || columns == 0) return nullptr;
  char* rest = launch.workspace;
  take<float>(rest, columns * partialsFor(rows));
  Found* found = take<Found>(rest, 1);
  float* columnFactors = take<float>(rest, columns);
  const MatrixStep of{launch.inputs[1].f32(), launch.inputs[4].f32(), parameter.f32(), launch.outputs[1].f32(), launch.outputs[2].f32(),
                  found, columnFactors, take<double>(rest, rows), rows, columns};
  const cudaStream_t stream = contextOf(launch).stream;
  ratesKernel<<<1, 1, 0, stream>>>(launch.inputs[5].f32(), launch.inputs[6].i32(), launch.attributes[0], found);
  withRowShape<float>(columns, [&](auto shape) {
    using S = decltype(shape);
    launchRows<S::group>(launch, rows, columns, rowMeansKernel<S::V, S::group>, of);
  });
  cudaMemsetAsync(columnFactors, 0, static_cast<size_t>(columns) * sizeof(float), stream);
  columnSums<float>(launch, rows, columns, Squares{of}, columnFactors);
  overElements<float>(launch, columns, ColumnMeans{of});
  rowMeanKernel<<<1, kMeanThreads, 0, stream>>>(of);
  withRowShape<float>(columns, [&](auto shape) {
    using S = decltype(shape);
    launchRows<S::group>(launch, rows, columns, moveSquaresKernel<S::V, S::group>, of);
  });
  stepSizeKernel<<<1, kMeanThreads, 0, stream>>>(of);
  overRows<float>(launch, rows, columns, Apply{of});
  return nullptr;
}

/** Workspace: Found. */
const char* adafactor_vector(const Launch& launch) {
  const Tensor parameter = launch.outputs[0];
  Found* found = reinterpret_cast<Found*>(launch.workspace);
  const VectorStep of{launch.inputs[1].f32(), launch.inputs[3].f32(), parameter.f32(), launch.outputs[1].f32(), found, parameter.elements()};
  const cudaStream_t stream = contextOf(launch).stream;
  ratesKernel<<<1, 1, 0, stream>>>(launch.inputs[4].f32(), launch.inputs[5].i32(), launch.attributes[0], found);
  vectorKernel<<<1, kMeanThreads, 0, stream>>>(of);
  return nullptr;
}

}  // namespace anneal::cuda
