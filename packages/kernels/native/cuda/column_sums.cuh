#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {

/** A sum over many rows is made of at most this many partial sums, of at least kRowsEach rows: the same on every GPU. */
constexpr int64_t kMaxPartials = 256;
constexpr int64_t kRowsEach = 64;

/** Partial sums over `rows` rows. Workspace of columnSums: 4 · columns · min(256, ceil(rows / 64)) bytes. */
inline int64_t partialsFor(int64_t rows) {
  const int64_t partials = ceilDivide(rows, kRowsEach);
  return partials < kMaxPartials ? partials : kMaxPartials;
}

/** Block (x, y) sums columns of tile x over the rows of part y; `lanes` threads lie along the columns, the others take every so many-th row. */
template <int V, typename Term>
__global__ void __launch_bounds__(kElementThreads)
    partialSumsKernel(int64_t rows, int64_t rowsEach, int columns, int lanes, Term term, float* partial) {
  __shared__ float sums[kElementThreads * V];
  const int lane = static_cast<int>(threadIdx.x) % lanes, line = static_cast<int>(threadIdx.x) / lanes, lines = kElementThreads / lanes;
  const int column = (static_cast<int>(blockIdx.x) * lanes + lane) * V;
  const int64_t end = min(rows, (int64_t{blockIdx.y} + 1) * rowsEach);
  float sum[V] = {};
  if (column < columns) {
#pragma unroll 4
    for (int64_t row = blockIdx.y * rowsEach + line; row < end; row += lines) {
      float values[V];
      term.template run<V>(row, column, values);
#pragma unroll
      for (int i = 0; i < V; i++) sum[i] += values[i];
    }
  }
#pragma unroll
  for (int i = 0; i < V; i++) sums[i * kElementThreads + threadIdx.x] = sum[i];
  __syncthreads();
  if (line > 0 || column >= columns) return;
#pragma unroll
  for (int i = 0; i < V; i++) {
    float total = 0;
    for (int other = 0; other < lines; other++) total += sums[i * kElementThreads + other * lanes + lane];
    partial[blockIdx.y * int64_t{columns} + column + i] = total;
  }
}

/** gradient += sum of the partial sums: 32 columns a block, 8 threads a column. */
static __global__ void __launch_bounds__(256) addPartialsKernel(const float* partial, int partials, int columns, float* gradient) {
  __shared__ float sums[8][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, line = static_cast<int>(threadIdx.x) / kWarp;
  const int column = static_cast<int>(blockIdx.x) * kWarp + lane;
  float sum = 0;
  if (column < columns)
    for (int part = line; part < partials; part += 8) sum += partial[part * int64_t{columns} + column];
  sums[line][lane] = sum;
  __syncthreads();
  if (line > 0 || column >= columns) return;
  float total = 0;
  for (int other = 0; other < 8; other++) total += sums[other][lane];
  gradient[column] += total;
}

/** gradient[column] += Σ over rows of the terms that term.run<V>(row, column, values) gives for V neighboring columns. */
template <typename A, typename Term>
void columnSums(const Launch& launch, int64_t rows, int64_t columns, const Term& term, float* gradient) {
  if (rows == 0 || columns == 0) return;
  cudaStream_t stream = contextOf(launch).stream;
  float* partial = reinterpret_cast<float*>(launch.workspace);
  const int V = vectorRows(columns, kLanes<A>) ? kLanes<A> : 1;
  const int64_t vectors = columns / V;
  const int lanes = vectors < kWarp ? lanesFor(vectors) : kWarp;
  const int64_t rowsEach = ceilDivide(rows, partialsFor(rows)), partials = ceilDivide(rows, rowsEach);
  const dim3 grid(static_cast<unsigned>(ceilDivide(vectors, lanes)), static_cast<unsigned>(partials));
  const auto kernel = V == 1 ? partialSumsKernel<1, Term> : partialSumsKernel<kLanes<A>, Term>;
  kernel<<<grid, kElementThreads, 0, stream>>>(rows, rowsEach, static_cast<int>(columns), lanes, term, partial);
  addPartialsKernel<<<static_cast<unsigned>(ceilDivide(columns, kWarp)), 256, 0, stream>>>(partial, static_cast<int>(partials), static_cast<int>(columns),
                                                                                           gradient);
}

constexpr int kExpertLines = 8;

/** Block (x, e): 32 columns of an expert; eight threads a column take its rows in turn. */
template <typename A, typename Function>
__global__ void __launch_bounds__(kExpertLines* kWarp)
    expertSumsKernel(const A* x, const int32_t* offsets, int64_t rows, int columns, Function function, float* total, int32_t* fault) {
  __shared__ float sums[kExpertLines][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, line = static_cast<int>(threadIdx.x) / kWarp;
  const int column = static_cast<int>(blockIdx.x) * kWarp + lane, expert = static_cast<int>(blockIdx.y);
  const int64_t first = offsets[expert], end = offsets[expert + 1];
  if (!ascends(first, end, expert, static_cast<int>(gridDim.y), rows)) {
    report(fault, Fault::row);
    return;
  }
  float sum = 0;
  if (column < columns)
    for (int64_t row = first + line; row < end; row += kExpertLines) sum += function(toFloat(x[row * columns + column]));
  sums[line][lane] = sum;
  __syncthreads();
  if (line > 0 || column >= columns) return;
  float all = 0;
  for (int other = 0; other < kExpertLines; other++) all += sums[other][lane];
  total[int64_t{expert} * columns + column] += all;
}

/** total[e, column] += Σ function(x) over the rows of expert e, which lie from offsets[e] up to offsets[e + 1]. */
template <typename Function>
const char* expertColumnSums(const Launch& launch, const Tensor& x, const Tensor& offsets, const Tensor& total, const Function& function) {
  const int experts = static_cast<int>(offsets.shape[0]) - 1;
  const int64_t columns = total.shape[0] / experts;
  const dim3 grid(static_cast<unsigned>(ceilDivide(columns, kWarp)), experts);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    expertSumsKernel<<<grid, kExpertLines * kWarp, 0, contextOf(launch).stream>>>(dataOf<A>(x), offsets.i32(), x.elements() / columns,
                                                                                  static_cast<int>(columns), function, total.f32(), contextOf(launch).fault);
  });
}

}  // namespace anneal::cuda
