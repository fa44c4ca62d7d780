#include <cmath>
#include <cstring>

#include "cpu/expert_choice.h"
#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

namespace {

struct Softmax {
  float largest, sum;

  float of(float logit) const { return std::exp(logit - largest) / sum; }
};

Softmax softmaxOf(const float* logits, int64_t experts) {
  Softmax row{logits[0], 0};
  for (int64_t e = 1; e < experts; e++) row.largest = logits[e] > row.largest ? logits[e] : row.largest;
  for (int64_t e = 0; e < experts; e++) row.sum += std::exp(logits[e] - row.largest);
  return row;
}

}  // namespace

const char* expert_balance(const Launch& launch) {
  const float* logits = launch.inputs[0].f32();
  const int32_t* chosen = launch.inputs[1].i32();
  const int64_t T = launch.inputs[0].shape[0], E = launch.inputs[0].shape[1], C = launch.inputs[1].shape[1];
  const int64_t count = launch.inputs[2].i32()[0];
  const double* before = launch.inputs[3].f64();
  double* sums = launch.outputs[0].f64();
  Softmax* rows = reinterpret_cast<Softmax*>(launch.workspace);
  if (count < 0 || count > T) return "more tokens are counted than there are";
  if (!areExperts(chosen, T * C, E)) return kNoExpert;
  parallelFor(*launch.context, count, grainFor(2 * E), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) rows[t] = softmaxOf(logits + t * E, E);
  });
  // Experts are split, never tokens: each sum runs over them in one order.
  parallelFor(*launch.context, E, 4, [=](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; e++) {
      double tokens = 0, probability = 0;
      for (int64_t t = 0; t < count; t++) probability += rows[t].of(logits[t * E + e]);
      for (int64_t i = 0; i < count * C; i++) tokens += chosen[i] == e ? 1 : 0;
      sums[e] = tokens + (before ? before[e] : 0);
      sums[E + e] = probability + (before ? before[E + e] : 0);
    }
  });
  return nullptr;
}

const char* expert_balance_backward(const Launch& launch) {
  const int64_t T = launch.inputs[1].shape[0], E = launch.inputs[1].shape[1];
  const float *gradients = launch.inputs[0].f32() + E, *logits = launch.inputs[1].f32();
  const int64_t count = launch.inputs[2].i32()[0];
  float* dlogits = launch.outputs[0].f32();
  parallelFor(*launch.context, T, grainFor(3 * E), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float* row = logits + t * E;
      float* out = dlogits + t * E;
      std::memset(out, 0, static_cast<size_t>(E) * sizeof *out);
      if (t >= count) continue;
      const Softmax softmax = softmaxOf(row, E);
      float mean = 0;
      for (int64_t e = 0; e < E; e++) mean += softmax.of(row[e]) * gradients[e];
      for (int64_t e = 0; e < E; e++) out[e] = softmax.of(row[e]) * (gradients[e] - mean);
    }
  });
  return nullptr;
}

const char* balance_loss(const Launch& launch) {
  const double* sums = launch.inputs[0].f64();
  const int64_t E = launch.inputs[0].shape[0] / 2;
  const double count = launch.inputs[1].i32()[0], scale = launch.inputs[2].f32()[0];
  float* dsums = launch.outputs[1].f32();
  std::memset(dsums, 0, static_cast<size_t>(2 * E) * sizeof *dsums);
  const double asked = launch.attributes[0] * count;
  if (asked == 0) return nullptr;
  // What each token's probability counts, times the tokens of the batch.
  const double each = count * static_cast<double>(E) / (asked * asked);
  double loss = 0;
  for (int64_t e = 0; e < E; e++) {
    loss += each * sums[e] * sums[E + e];
    dsums[E + e] = static_cast<float>(scale * each * sums[e]);
  }
  launch.outputs[0].f64()[0] += loss;
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
