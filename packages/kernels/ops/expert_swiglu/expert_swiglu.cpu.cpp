#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* expert_swiglu(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  parallelFor(*launch.context, launch.outputs[0].elements() / width, grainFor(3 * width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float *gate = x + 2 * row * width, *up = gate + width;
      for (int64_t i = 0; i < width; i += Vec::width) {
        const int count = static_cast<int>(width - i < Vec::width ? width - i : Vec::width);
        const Vec g = Vec::load(gate + i, count);
        (g * sigmoid(g) * Vec::load(up + i, count)).store(y + row * width + i, count);
      }
    }
  });
  return nullptr;
}

const char* expert_swiglu_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32();
  float* dx = launch.outputs[0].f32();
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[0].elements() / width, grainFor(5 * width), [=](int64_t begin, int64_t end) {
    const Vec one = Vec::set(1.0f);
    for (int64_t row = begin; row < end; row++) {
      const int64_t gate = 2 * row * width, up = gate + width;
      for (int64_t i = 0; i < width; i += Vec::width) {
        const int count = static_cast<int>(width - i < Vec::width ? width - i : Vec::width);
        const Vec g = Vec::load(x + gate + i, count), u = Vec::load(x + up + i, count), d = Vec::load(dy + row * width + i, count);
        const Vec s = sigmoid(g);
        (d * u * s * fma(g, one - s, one)).store(dx + gate + i, count);
        (d * g * s).store(dx + up + i, count);
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
