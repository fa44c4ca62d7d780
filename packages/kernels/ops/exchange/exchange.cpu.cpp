#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* exchange(const Launch& launch) {
  float* a = launch.outputs[0].f32();
  float* b = launch.outputs[1].f32();
  parallelFor(*launch.context, launch.outputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = lanesAt(i, end);
      const Vec ofA = Vec::load(a + i, count), ofB = Vec::load(b + i, count);
      ofB.store(a + i, count);
      ofA.store(b + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
