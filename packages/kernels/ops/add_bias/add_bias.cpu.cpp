#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* add_bias(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float* bias = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  const float factor = static_cast<float>(launch.attributes[0]);
  const int64_t N = launch.inputs[0].shape[1];
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(N), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++)
      for (int64_t n = 0; n < N; n++) y[t * N + n] = x[t * N + n] + factor * bias[n];
  });
  return nullptr;
}

const char* add_bias_backward(const Launch& launch) {
  const float* dy = launch.inputs[0].f32();
  float* gradient = launch.outputs[0].f32();
  const float factor = static_cast<float>(launch.attributes[0]);
  const int64_t T = launch.inputs[0].shape[0], N = launch.inputs[0].shape[1];
  // Columns are split, never rows: each sum runs over the tokens in one order.
  parallelFor(*launch.context, N, 64, [=](int64_t begin, int64_t end) {
    float sums[64] = {};
    for (int64_t t = 0; t < T; t++)
      for (int64_t n = begin; n < end; n++) sums[n - begin] += dy[t * N + n];
    for (int64_t n = begin; n < end; n++) gradient[n] += factor * sums[n - begin];
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
