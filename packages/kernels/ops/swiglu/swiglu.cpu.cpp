#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* swiglu(const Launch& launch) {
  const float* gate = launch.inputs[0].f32();
  const float* up = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  parallelFor(*launch.context, launch.outputs[0].elements(), 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = static_cast<int>(end - i < Vec::width ? end - i : Vec::width);
      const Vec g = Vec::load(gate + i, count);
      (g * sigmoid(g) * Vec::load(up + i, count)).store(y + i, count);
    }
  });
  return nullptr;
}

const char* swiglu_backward(const Launch& launch) {
  const float* dy = launch.inputs[0].f32();
  const float* gate = launch.inputs[1].f32();
  const float* up = launch.inputs[2].f32();
  float* dgate = launch.outputs[0].f32();
  float* dup = launch.outputs[1].f32();
  const Vec one = Vec::set(1.0f);
  parallelFor(*launch.context, launch.outputs[0].elements(), 4096, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = static_cast<int>(end - i < Vec::width ? end - i : Vec::width);
      const Vec g = Vec::load(gate + i, count), u = Vec::load(up + i, count), d = Vec::load(dy + i, count);
      const Vec s = sigmoid(g);
      (d * u * s * fma(g, one - s, one)).store(dgate + i, count);
      (d * g * s).store(dup + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
