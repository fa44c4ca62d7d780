#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "cpu/small_products.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static inline Vec loadWeights(const Tensor& weight, int64_t at, int lanes) {
  return weight.type == DType::f32 ? Vec::load(weight.f32() + at, lanes) : Vec::loadBf16(weight.bf16() + at, lanes);
}

const char* adapted_matrix(const Launch& launch) {
  const Tensor weight = launch.inputs[0];
  const float *a = launch.inputs[1].f32(), *b = launch.inputs[2].f32();
  float* adapted = launch.outputs[0].f32();
  const int64_t N = weight.shape[0], K = weight.shape[1], R = launch.inputs[1].shape[0];
  const float scale = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, N, grainFor(K * (R + 1)), [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++)
      for (int64_t k = 0; k < K; k += Vec::width) {
        const int lanes = lanesAt(k, K);
        Vec values = loadWeights(weight, n * K + k, lanes);
        for (int64_t r = 0; r < R; r++) values = fma(Vec::set(scale * b[n * R + r]), Vec::load(a + r * K + k, lanes), values);
        values.store(adapted + n * K + k, lanes);
      }
  });
  return nullptr;
}

const char* adapted_matrix_backward(const Launch& launch) {
  const Tensor gradient = launch.inputs[0];
  const float *g = gradient.f32(), *a = launch.inputs[1].f32(), *b = launch.inputs[2].f32();
  float *a_total = launch.outputs[0].f32(), *b_total = launch.outputs[1].f32();
  const int64_t N = gradient.shape[0], K = gradient.shape[1], R = launch.inputs[1].shape[0];
  const float scale = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, N, grainFor(K * R), [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++)
      for (int64_t r = 0; r < R; r++) b_total[n * R + r] += scale * dot(g + n * K, a + r * K, K);
  });
  // Columns are split, never rows: each sum runs over them in one order.
  const int64_t vectors = (K + Vec::width - 1) / Vec::width;
  parallelFor(*launch.context, R * vectors, grainFor(N * Vec::width), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const int64_t r = i / vectors, k = i % vectors * Vec::width;
      const int lanes = lanesAt(k, K);
      Vec sums = Vec::zero();
      for (int64_t n = 0; n < N; n++) sums = fma(Vec::set(b[n * R + r]), Vec::load(g + n * K + k, lanes), sums);
      fma(Vec::set(scale), sums, Vec::load(a_total + r * K + k, lanes)).store(a_total + r * K + k, lanes);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
