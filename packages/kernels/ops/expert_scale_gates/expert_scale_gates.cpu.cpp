#include "cpu/expert_choice.h"
#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* expert_scale_gates(const Launch& launch) {
  const float *gates = launch.inputs[0].f32(), *scale = launch.inputs[2].f32();
  const int32_t* experts = launch.inputs[1].i32();
  float* scaled = launch.outputs[0].f32();
  const int64_t count = launch.inputs[0].elements();
  if (!areExperts(experts, count, launch.inputs[2].shape[0])) return kNoExpert;
  parallelFor(*launch.context, count, 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) scaled[i] = gates[i] * scale[experts[i]];
  });
  return nullptr;
}

const char* expert_scale_gates_backward(const Launch& launch) {
  const float *dscaled = launch.inputs[0].f32(), *gates = launch.inputs[1].f32();
  const int32_t* experts = launch.inputs[2].i32();
  float* gradient = launch.outputs[0].f32();
  const int64_t count = launch.inputs[0].elements();
  if (!areExperts(experts, count, launch.outputs[0].shape[0])) return kNoExpert;
  // A few numbers for each token: one thread, so that every sum runs in one order.
  for (int64_t i = 0; i < count; i++) gradient[experts[i]] += dscaled[i] * gates[i];
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
