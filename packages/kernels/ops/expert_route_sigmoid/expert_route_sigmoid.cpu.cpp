#include <cmath>
#include <cstring>

#include "cpu/expert_choice.h"
#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static float sigmoidOf(float x) { return 1 / (1 + std::exp(-x)); }

/** The sum of the two largest scores of each of `groups` groups; of one without two numbers -infinity. */
static void scoreGroups(const float* scores, int64_t each, int64_t groups, float* sums) {
  for (int64_t g = 0; g < groups; g++) {
    const float* group = scores + g * each;
    int32_t best[2];
    for (int i = 0; i < 2; i++) best[i] = nextExpert(group, each, best, i);
    const float sum = group[best[0]] + group[best[1]];
    sums[g] = sum == sum ? sum : -INFINITY;
  }
}

/** Of equal groups the lower one is better. */
static int64_t betterGroups(const float* sums, int64_t groups, int64_t g) {
  int64_t count = 0;
  for (int64_t other = 0; other < groups; other++) count += sums[other] > sums[g] || (sums[other] == sums[g] && other < g);
  return count;
}

const char* expert_route_sigmoid(const Launch& launch) {
  const float *logits = launch.inputs[0].f32(), *bias = launch.inputs[1].f32();
  float* gates = launch.outputs[0].f32();
  int32_t* chosen = launch.outputs[1].i32();
  const int64_t T = launch.inputs[0].shape[0], E = launch.inputs[0].shape[1], C = launch.outputs[0].shape[1];
  const int64_t groups = static_cast<int64_t>(launch.attributes[1]), kept = static_cast<int64_t>(launch.attributes[2]), each = E / groups;
  const bool normalized = launch.attributes[3] != 0;
  const float scale = static_cast<float>(launch.attributes[4]);
  float* workspace = reinterpret_cast<float*>(launch.workspace);
  parallelFor(*launch.context, T, grainFor(E * (C + 8)), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float* row = logits + t * E;
      float *scores = workspace + t * (E + groups), *sums = scores + E;
      for (int64_t e = 0; e < E; e++) scores[e] = sigmoidOf(row[e]) + bias[e];
      scoreGroups(scores, each, groups, sums);
      for (int64_t g = 0; g < groups; g++) {
        if (betterGroups(sums, groups, g) < kept) continue;
        for (int64_t e = g * each; e < (g + 1) * each; e++) scores[e] = -INFINITY;
      }
      int32_t* experts = chosen + t * C;
      float* gate = gates + t * C;
      float sum = 0;
      for (int64_t c = 0; c < C; c++) {
        experts[c] = nextExpert(scores, E, experts, c);
        gate[c] = sigmoidOf(row[experts[c]]);
        sum += gate[c];
      }
      const float factor = normalized ? scale / (sum + 1e-20f) : scale;
      for (int64_t c = 0; c < C; c++) gate[c] *= factor;
    }
  });
  sortAssignments(chosen, T * C, E, launch.outputs[2].i32(), launch.outputs[3].i32());
  return nullptr;
}

const char* expert_route_sigmoid_backward(const Launch& launch) {
  const float *dgates = launch.inputs[0].f32(), *logits = launch.inputs[1].f32(), *gates = launch.inputs[2].f32();
  const int32_t* chosen = launch.inputs[3].i32();
  float* dlogits = launch.outputs[0].f32();
  const int64_t T = launch.inputs[1].shape[0], E = launch.inputs[1].shape[1], C = launch.inputs[0].shape[1];
  if (!areExperts(chosen, T * C, E)) return kNoExpert;
  const bool normalized = launch.attributes[0] != 0;
  const float scale = static_cast<float>(launch.attributes[1]);
  parallelFor(*launch.context, T, grainFor(2 * E), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float *dgate = dgates + t * C, *gate = gates + t * C;
      float* out = dlogits + t * E;
      std::memset(out, 0, static_cast<size_t>(E) * sizeof *out);
      float mean = 0;
      for (int64_t c = 0; c < C && normalized; c++) mean += gate[c] * dgate[c] / scale;
      for (int64_t c = 0; c < C; c++) {
        const int32_t e = chosen[t * C + c];
        out[e] = gate[c] * (1 - sigmoidOf(logits[t * E + e])) * (dgate[c] - mean);
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
