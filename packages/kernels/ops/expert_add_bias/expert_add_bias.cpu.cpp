#include "cpu/expert_rows.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* expert_add_bias(const Launch& launch) {
  const Tensor x = launch.inputs[0], offsets = launch.inputs[2];
  const float* bias = launch.inputs[1].f32();
  const int64_t E = offsets.shape[0] - 1, N = launch.inputs[1].shape[0] / E, rows = x.elements() / N;
  if (!ascend(offsets, rows)) return kOffsetsUnordered;
  const float* from = x.f32();
  const int32_t* firsts = offsets.i32();
  float* y = launch.outputs[0].f32();
  parallelFor(*launch.context, rows, grainFor(N), [=](int64_t begin, int64_t end) {
    int64_t e = 0;
    for (int64_t row = begin; row < end; row++) {
      while (firsts[e + 1] <= row) e++;
      for (int64_t n = 0; n < N; n++) y[row * N + n] = from[row * N + n] + bias[e * N + n];
    }
  });
  return nullptr;
}

const char* expert_add_bias_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], offsets = launch.inputs[1];
  const int64_t E = offsets.shape[0] - 1, N = launch.outputs[0].shape[0] / E;
  if (!ascend(offsets, dy.elements() / N)) return kOffsetsUnordered;
  const float* from = dy.f32();
  const int32_t* firsts = offsets.i32();
  float* gradient = launch.outputs[0].f32();
  // Columns are split, never rows: each sum runs over the rows of its expert in one order.
  constexpr int64_t columns = 64;
  const int64_t parts = (N + columns - 1) / columns;
  parallelFor(*launch.context, E * parts, 1, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t e = i / parts, first = i % parts * columns, last = first + columns < N ? first + columns : N;
      float sums[columns] = {};
      for (int64_t row = firsts[e]; row < firsts[e + 1]; row++)
        for (int64_t n = first; n < last; n++) sums[n - first] += from[row * N + n];
      for (int64_t n = first; n < last; n++) gradient[e * N + n] += sums[n - first];
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
