#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* average(const Launch& launch) {
  const float* parameter = launch.inputs[0].f32();
  float* average = launch.outputs[0].f32();
  const double step = *launch.inputs[2].i32(), decay = launch.attributes[0], atFirst = (1 + step) / (10 + step);
  const Vec share = Vec::set(static_cast<float>(1 - (decay < atFirst ? decay : atFirst)));
  parallelFor(*launch.context, launch.outputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = lanesAt(i, end);
      const Vec before = Vec::load(average + i, count);
      (before + share * (Vec::load(parameter + i, count) - before)).store(average + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
