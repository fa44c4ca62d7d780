#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** Columns that stay in registers while the factors are added. */
static constexpr int kVectors = 4;
static constexpr int64_t kColumns = kVectors * Vec::width;

static inline Vec loadWeights(const Tensor& weight, int64_t at, int64_t count) {
  const int lanes = static_cast<int>(count < Vec::width ? count : Vec::width);
  return weight.type == DType::f32 ? Vec::load(weight.f32() + at, lanes) : Vec::loadBf16(weight.bf16() + at, lanes);
}

const char* dora_norm(const Launch& launch) {
  const Tensor weight = launch.inputs[0];
  const float* a = launch.inputs[1].f32();
  const float* b = launch.inputs[2].f32();
  float* norm = launch.outputs[0].f32();
  const int64_t N = weight.shape[0], K = weight.shape[1], R = launch.inputs[2].shape[1];
  const float scale = static_cast<float>(launch.attributes[0]);
  const int64_t second = static_cast<int64_t>(launch.attributes[1]), third = second + static_cast<int64_t>(launch.attributes[2]);
  parallelFor(*launch.context, N, grainFor(K * (R + 1)), [=](int64_t begin, int64_t end) {
    for (int64_t n = begin; n < end; n++) {
      const float* ofLinear = a + ((n >= second) + (n >= third)) * R * K;
      Vec squares = Vec::zero();
      for (int64_t k = 0; k < K; k += kColumns) {
        Vec values[kVectors];
        for (int v = 0; v < kVectors; v++) {
          const int64_t column = k + v * Vec::width;
          values[v] = column < K ? loadWeights(weight, n * K + column, K - column) : Vec::zero();
        }
        for (int64_t r = 0; r < R; r++) {
          const Vec factor = Vec::set(scale * b[n * R + r]);
          for (int v = 0; v < kVectors; v++) {
            const int64_t column = k + v * Vec::width, rest = K - column;
            if (rest <= 0) break;
            const Vec row = rest >= Vec::width ? Vec::load(ofLinear + r * K + column) : Vec::load(ofLinear + r * K + column, static_cast<int>(rest));
            values[v] = fma(factor, row, values[v]);
          }
        }
        for (int v = 0; v < kVectors; v++) squares = fma(values[v], values[v], squares);
      }
      norm[n] = std::sqrt(sum(squares));
    }
  });
  return nullptr;
}

const char* dora_scale(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float* magnitude = launch.inputs[1].f32();
  const float* norm = launch.inputs[2].f32();
  const float* plus = launch.inputs[3].f32();
  float* y = launch.outputs[0].f32();
  const int64_t N = launch.inputs[0].shape[1];
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(N), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++)
      for (int64_t n = 0; n < N; n++) y[t * N + n] = x[t * N + n] * (magnitude[n] / norm[n]) + (plus ? plus[t * N + n] : 0);
  });
  return nullptr;
}

const char* dora_scale_backward(const Launch& launch) {
  const float* dy = launch.inputs[0].f32();
  const float* x = launch.inputs[1].f32();
  const float* magnitude = launch.inputs[2].f32();
  const float* norm = launch.inputs[3].f32();
  float* dx = launch.outputs[0].f32();
  float* gradient = launch.outputs[1].f32();
  const int64_t T = launch.inputs[0].shape[0], N = launch.inputs[0].shape[1];
  // Columns are split, never rows: each sum runs over the tokens in one order.
  parallelFor(*launch.context, N, 64, [=](int64_t begin, int64_t end) {
    float sums[64] = {};
    for (int64_t t = 0; t < T; t++)
      for (int64_t n = begin; n < end; n++) {
        const float gradientOfY = dy[t * N + n];
        sums[n - begin] += gradientOfY * x[t * N + n];
        dx[t * N + n] = gradientOfY * (magnitude[n] / norm[n]);
      }
    for (int64_t n = begin; n < end; n++) gradient[n] += sums[n - begin] / norm[n];
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
