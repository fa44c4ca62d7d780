#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* scale(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  const float factor = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.outputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + Vec::width <= end; i += Vec::width) (Vec::load(x + i) * Vec::set(factor)).store(y + i);
    for (; i < end; i++) y[i] = x[i] * factor;
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
