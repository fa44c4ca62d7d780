#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* add(const Launch& launch) {
  const float* a = launch.inputs[0].f32();
  const float* b = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  parallelFor(*launch.context, launch.outputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    int64_t i = begin;
    for (; i + Vec::width <= end; i += Vec::width) (Vec::load(a + i) + Vec::load(b + i)).store(y + i);
    for (; i < end; i++) y[i] = a[i] + b[i];
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
