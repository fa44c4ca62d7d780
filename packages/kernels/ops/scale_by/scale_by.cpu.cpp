#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* scale_by(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float factor = launch.inputs[1].f32()[0];
  float* y = launch.outputs[0].f32();
  parallelFor(*launch.context, launch.inputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = lanesAt(i, end);
      (Vec::load(x + i, count) * Vec::set(factor)).store(y + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
