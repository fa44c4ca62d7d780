#include <cstring>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static bool inRange(const int32_t* ids, int64_t count, int64_t limit) {
  for (int64_t i = 0; i < count; i++)
    if (ids[i] < 0 || ids[i] >= limit) return false;
  return true;
}

const char* embedding(const Launch& launch) {
  const int32_t* tokens = launch.inputs[0].i32();
  const Tensor weight = launch.inputs[1];
  float* y = launch.outputs[0].f32();
  const int64_t T = launch.inputs[0].shape[0], D = weight.shape[1];
  if (!inRange(tokens, T, weight.shape[0])) return "a token id lies outside the vocabulary";
  parallelFor(*launch.context, T, grainFor(D), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      if (weight.type == DType::f32) {
        std::memcpy(y + t * D, weight.f32() + tokens[t] * D, D * sizeof(float));
      } else {
        const uint16_t* row = weight.bf16() + tokens[t] * D;
        for (int64_t d = 0; d < D; d++) y[t * D + d] = fromBf16(row[d]);
      }
    }
  });
  return nullptr;
}

const char* embedding_backward(const Launch& launch) {
  const int32_t* tokens = launch.inputs[0].i32();
  const float* dy = launch.inputs[1].f32();
  float* gradient = launch.outputs[0].f32();
  const int64_t T = launch.inputs[0].shape[0], D = launch.inputs[1].shape[1];
  if (!inRange(tokens, T, launch.outputs[0].shape[0])) return "a token id lies outside the vocabulary";
  // Columns are split, never tokens: repeated tokens add up in one order.
  parallelFor(*launch.context, D, 64, [=](int64_t begin, int64_t end) {
    for (int64_t t = 0; t < T; t++) {
      float* row = gradient + tokens[t] * D;
      for (int64_t d = begin; d < end; d++) row[d] += dy[t * D + d];
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
