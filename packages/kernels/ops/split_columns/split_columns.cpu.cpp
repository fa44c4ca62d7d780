#include <cstring>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* split_columns(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float *left = launch.outputs[0].f32(), *right = launch.outputs[1].f32();
  const int64_t W = launch.inputs[0].shape[1], L = launch.outputs[0].shape[1], R = launch.outputs[1].shape[1];
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(2 * W), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      std::memcpy(left + t * L, x + t * W, static_cast<size_t>(L) * sizeof(float));
      std::memcpy(right + t * R, x + t * W + L, static_cast<size_t>(R) * sizeof(float));
    }
  });
  return nullptr;
}

const char* join_columns(const Launch& launch) {
  const float *left = launch.inputs[0].f32(), *right = launch.inputs[1].f32();
  float* x = launch.outputs[0].f32();
  const int64_t W = launch.outputs[0].shape[1], L = launch.inputs[0].shape[1], R = launch.inputs[1].shape[1];
  parallelFor(*launch.context, launch.outputs[0].shape[0], grainFor(2 * W), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      std::memcpy(x + t * W, left + t * L, static_cast<size_t>(L) * sizeof(float));
      std::memcpy(x + t * W + L, right + t * R, static_cast<size_t>(R) * sizeof(float));
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
