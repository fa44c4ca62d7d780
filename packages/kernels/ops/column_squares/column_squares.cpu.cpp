#include "cpu/expert_rows.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

namespace {

constexpr int64_t kColumns = 64;

/** Of up to 64 columns, over the rows in one order. */
void addSquares(const float* x, int64_t begin, int64_t end, int64_t width, int64_t first, int64_t last, float* total) {
  float sums[kColumns] = {};
  for (int64_t row = begin; row < end; row++)
    for (int64_t n = first; n < last; n++) sums[n - first] += x[row * width + n] * x[row * width + n];
  for (int64_t n = first; n < last; n++) total[n] += sums[n - first];
}

}  // namespace

const char* column_squares(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* total = launch.outputs[0].f32();
  const int64_t T = launch.inputs[0].shape[0], N = launch.inputs[0].shape[1];
  // Columns are split, never rows: each sum runs over the tokens in one order.
  parallelFor(*launch.context, N, kColumns, [=](int64_t begin, int64_t end) { addSquares(x, 0, T, N, begin, end, total); });
  return nullptr;
}

const char* expert_column_squares(const Launch& launch) {
  const Tensor x = launch.inputs[0], offsets = launch.inputs[1];
  const int64_t E = offsets.shape[0] - 1, N = launch.outputs[0].shape[0] / E;
  if (!ascend(offsets, x.elements() / N)) return kOffsetsUnordered;
  const float* from = x.f32();
  const int32_t* firsts = offsets.i32();
  float* total = launch.outputs[0].f32();
  const int64_t parts = (N + kColumns - 1) / kColumns;
  parallelFor(*launch.context, E * parts, 1, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t e = i / parts, first = i % parts * kColumns, last = first + kColumns < N ? first + kColumns : N;
      addSquares(from, firsts[e], firsts[e + 1], N, first, last, total + e * N);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
