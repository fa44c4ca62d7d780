#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* soft_cap(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  const float cap = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.outputs[0].elements(), 4096, [=](int64_t begin, int64_t end) {
    const Vec most = Vec::set(cap), share = Vec::set(1 / cap);
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int lanes = lanesAt(i, end);
      (most * tanh(share * Vec::load(x + i, lanes))).store(y + i, lanes);
    }
  });
  return nullptr;
}

const char* soft_cap_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *y = launch.inputs[1].f32();
  float* dx = launch.outputs[0].f32();
  const float cap = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.outputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      const float share = y[i] / cap;
      dx[i] = dy[i] * (1.0f - share * share);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
