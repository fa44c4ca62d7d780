#pragma once

#include <cmath>
#include <cstdint>

#include "host_device.h"
#include "kernel.h"

// What the kernels of both backends share: the loss of one token of a sampled answer. All in float64; the sums are few.

namespace anneal {
namespace {  // members of these are compiled once for each instruction set

/** As in op.ts. */
constexpr int kPolicySums = 4;
enum PolicySum { kPolicyLoss, kDivergence, kClippedLow, kClippedHigh };

struct PolicyInputs {
  const float* logps;
  const int32_t* row_offsets;
  const float* advantages;
  const float* weights;
  const float* old;        // null: the model's own log-probabilities
  const float* reference;  // null: no divergence
  int64_t documents, rows;

  explicit PolicyInputs(const Launch& launch)
      : logps(launch.inputs[0].f32()),
        row_offsets(launch.inputs[1].i32()),
        advantages(launch.inputs[2].f32()),
        weights(launch.inputs[3].f32()),
        old(launch.inputs[5].absent() ? nullptr : launch.inputs[5].f32()),
        reference(launch.inputs[6].absent() ? nullptr : launch.inputs[6].f32()),
        documents(launch.inputs[1].shape[0] - 1),
        rows(launch.inputs[0].shape[0]) {}

  ANNEAL_HOST_DEVICE double logRatio(int64_t row) const {
    return old ? static_cast<double>(logps[row]) - static_cast<double>(old[row]) : 0;
  }

  /** log reference - log p: q of op.ts */
  ANNEAL_HOST_DEVICE double lead(int64_t row) const {
    return reference ? static_cast<double>(reference[row]) - static_cast<double>(logps[row]) : 0;
  }
};

/** k of op.ts: 0 where model and reference agree, else above. */
inline ANNEAL_HOST_DEVICE double divergenceOf(double lead) { return expm1(lead) - lead; }

/** Sums over an answer that its tokens share where they have one ratio. */
struct AnswerShare {
  double log_ratio = 0, divergence = 0;
};

struct TokenTerms {
  double loss, divergence, slope;  // slope: of the answer's loss by this token's log-probability
  bool low, high;
};

struct PolicyLoss {
  bool sequence;
  double low, high, beta;
  bool correction;

  explicit PolicyLoss(const double* attributes)
      : sequence(attributes[0] != 0), low(attributes[1]), high(attributes[2]), beta(attributes[3]), correction(attributes[4] != 0) {}

  /** @param share sums over the answer, of `tokens` tokens */
  ANNEAL_HOST_DEVICE TokenTerms of(double log_ratio, double lead, double advantage, const AnswerShare& share, int64_t tokens) const {
    const double ratio = exp(sequence ? share.log_ratio / static_cast<double>(tokens) : log_ratio);
    const double clamped = ratio < 1 - low ? 1 - low : ratio > 1 + high ? 1 + high : ratio;
    const bool clipped = clamped * advantage < ratio * advantage;
    const double divergence = divergenceOf(lead), factor = correction ? ratio : 1;
    TokenTerms terms;
    terms.loss = -(clipped ? clamped : ratio) * advantage + beta * divergence * factor;
    terms.divergence = divergence * factor;
    // Of a ratio that the tokens share, each has a part of every token's: together as much as one has of its own.
    const double by_ratio = correction ? beta * (sequence ? share.divergence / static_cast<double>(tokens) : divergence) : 0;
    terms.slope = ratio * ((clipped ? 0 : -advantage) + by_ratio) - beta * expm1(lead) * factor;
    terms.low = ratio < 1 - low && advantage < 0;
    terms.high = ratio > 1 + high && advantage > 0;
    return terms;
  }
};

}  // namespace
}  // namespace anneal
