#include <cmath>
#include <cstring>

#include "cpu/expert_choice.h"
#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** Σ e^(logit - largest) of all experts. */
static float sumOfExponentials(const float* logits, int64_t experts, float largest) {
  float sum = 0;
  for (int64_t e = 0; e < experts; e++) sum += std::exp(logits[e] - largest);
  return sum;
}

const char* expert_route(const Launch& launch) {
  const float* logits = launch.inputs[0].f32();
  float* gates = launch.outputs[0].f32();
  int32_t* chosen = launch.outputs[1].i32();
  const int64_t T = launch.inputs[0].shape[0], E = launch.inputs[0].shape[1], C = launch.outputs[0].shape[1];
  const bool normalized = launch.attributes[1] != 0;
  parallelFor(*launch.context, T, grainFor(E * C), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float* row = logits + t * E;
      int32_t* experts = chosen + t * C;
      float* gate = gates + t * C;
      for (int64_t c = 0; c < C; c++) experts[c] = nextExpert(row, E, experts, c);
      const float largest = row[experts[0]];
      for (int64_t c = 0; c < C; c++) gate[c] = std::exp(row[experts[c]] - largest);
      float sum = 0;
      for (int64_t c = 0; c < C && normalized; c++) sum += gate[c];
      if (!normalized) sum = sumOfExponentials(row, E, largest);
      for (int64_t c = 0; c < C; c++) gate[c] /= sum;
    }
  });
  sortAssignments(chosen, T * C, E, launch.outputs[2].i32(), launch.outputs[3].i32());
  return nullptr;
}

const char* expert_route_backward(const Launch& launch) {
  const float *dgates = launch.inputs[0].f32(), *logits = launch.inputs[1].f32(), *gates = launch.inputs[2].f32();
  const int32_t* chosen = launch.inputs[3].i32();
  float* dlogits = launch.outputs[0].f32();
  const int64_t T = launch.inputs[1].shape[0], E = launch.inputs[1].shape[1], C = launch.inputs[0].shape[1];
  if (!areExperts(chosen, T * C, E)) return kNoExpert;
  const bool normalized = launch.attributes[0] != 0;
  parallelFor(*launch.context, T, grainFor(2 * E), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float *dgate = dgates + t * C, *gate = gates + t * C, *row = logits + t * E;
      const int32_t* experts = chosen + t * C;
      float* out = dlogits + t * E;
      float mean = 0;
      for (int64_t c = 0; c < C; c++) mean += gate[c] * dgate[c];
      if (normalized) {
        std::memset(out, 0, static_cast<size_t>(E) * sizeof *out);
      } else {
        const float largest = row[experts[0]], sum = sumOfExponentials(row, E, largest);
        for (int64_t e = 0; e < E; e++) out[e] = -mean * (std::exp(row[e] - largest) / sum);
      }
      for (int64_t c = 0; c < C; c++) out[experts[c]] = gate[c] * (dgate[c] - mean);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
