#include <cstring>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* split_qkv(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float *q = launch.outputs[0].f32(), *k = launch.outputs[1].f32(), *v = launch.outputs[2].f32();
  const int64_t W = launch.inputs[0].shape[1], Q = launch.outputs[0].shape[1], M = launch.outputs[1].shape[1];
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(2 * W), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      std::memcpy(q + t * Q, x + t * W, static_cast<size_t>(Q) * sizeof(float));
      std::memcpy(k + t * M, x + t * W + Q, static_cast<size_t>(M) * sizeof(float));
      std::memcpy(v + t * M, x + t * W + Q + M, static_cast<size_t>(M) * sizeof(float));
    }
  });
  return nullptr;
}

const char* join_qkv(const Launch& launch) {
  const float *q = launch.inputs[0].f32(), *k = launch.inputs[1].f32(), *v = launch.inputs[2].f32();
  float* x = launch.outputs[0].f32();
  const int64_t W = launch.outputs[0].shape[1], Q = launch.inputs[0].shape[1], M = launch.inputs[1].shape[1];
  parallelFor(*launch.context, launch.outputs[0].shape[0], grainFor(2 * W), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      std::memcpy(x + t * W, q + t * Q, static_cast<size_t>(Q) * sizeof(float));
      std::memcpy(x + t * W + Q, k + t * M, static_cast<size_t>(M) * sizeof(float));
      std::memcpy(x + t * W + Q + M, v + t * M, static_cast<size_t>(M) * sizeof(float));
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
