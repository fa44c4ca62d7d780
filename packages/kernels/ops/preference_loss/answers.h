#pragma once

#include <cmath>
#include <cstdint>

#include "host_device.h"
#include "kernel.h"

// What the kernels of both backends share: one document's answer, and the losses of answers. All in float64; the sums are few.

namespace anneal {
namespace {  // members of these are compiled once for each instruction set

/** As in op.ts. */
constexpr int kChosen = 1, kRejected = 2;
constexpr int kPreferenceSums = 7;
enum PreferenceSum { kLoss, kLikelihoodLoss, kChosenReward, kRejectedReward, kCorrect, kChosenLogp, kRejectedLogp };
enum PairForm { kSigmoid, kHinge, kSquare };
enum AnswerValue { kSumValue, kMeanValue, kLogOddsValue };

/** The inputs that pair_loss and kto_loss have in common. */
struct AnswerInputs {
  const float* logps;
  const float* reference;  // null: zeros
  const int32_t* row_offsets;
  const int32_t* answer_offsets;
  const int32_t* side;
  const float* scale;
  int64_t documents;

  explicit AnswerInputs(const Launch& launch)
      : logps(launch.inputs[0].f32()),
        reference(launch.inputs[6].absent() ? nullptr : launch.inputs[6].f32()),
        row_offsets(launch.inputs[1].i32()),
        answer_offsets(launch.inputs[2].i32()),
        side(launch.inputs[3].i32()),
        scale(launch.inputs[4].f32()),
        documents(launch.inputs[1].shape[0] - 1) {}

  ANNEAL_HOST_DEVICE bool isPair(int64_t document) const {
    return document + 1 < documents && side[document] == kChosen && side[document + 1] == kRejected;
  }
};

/** Sums over the rows of an answer, and over those of its document before it. */
struct AnswerSums {
  double logp = 0, reference = 0, before = 0;
  int64_t tokens = 0;

  ANNEAL_HOST_DEVICE double mean(bool is_mean) const { return is_mean && tokens > 0 ? 1.0 / static_cast<double>(tokens) : 1.0; }
};

inline ANNEAL_HOST_DEVICE double sigmoid(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }

/** log(1 + e^x) */
inline ANNEAL_HOST_DEVICE double softplus(double x) { return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }

/** A value, and its derivative by what it is made of. */
struct Differentiated {
  double value, slope;
};

/** Of an answer, by the log-probability of each of its tokens. */
inline ANNEAL_HOST_DEVICE Differentiated valueOf(const AnswerSums& answer, int kind) {
  const double share = answer.mean(kind != kSumValue);
  const double ratio = (answer.logp - answer.reference) * share;
  if (kind != kLogOddsValue) return {ratio, share};
  // log(1 - e^ratio); the answer of a model that is certain has no finite odds.
  const double rest = -expm1(ratio);
  return {ratio - log(rest), share / rest};
}

struct PairLoss {
  int form, value;
  double beta, gamma, right, wrong, reward_scale;
  bool mean_rewards;
  double center;

  explicit PairLoss(const double* attributes)
      : form(static_cast<int>(attributes[0])),
        value(static_cast<int>(attributes[1])),
        beta(attributes[2]),
        gamma(attributes[3]),
        right(attributes[4]),
        wrong(attributes[5]),
        reward_scale(attributes[6]),
        mean_rewards(attributes[7] != 0),
        center(attributes[8]) {}

  ANNEAL_HOST_DEVICE Differentiated of(double z) const {
    if (form == kHinge) return {z < 1 ? 1 - z : 0, z < 1 ? -1.0 : 0.0};
    if (form == kSquare) return {z * z, 2 * z};
    return {right * softplus(-z) + wrong * softplus(z), wrong * sigmoid(z) - right * sigmoid(-z)};
  }
};

/** What a pair adds to the sums, and the gradients of its rows: of the chosen answer, of the rejected one, of what precedes the former. */
struct PairTerms {
  double sums[kPreferenceSums];
  float chosen, rejected, before;
};

inline ANNEAL_HOST_DEVICE PairTerms pairTerms(const PairLoss& loss, const AnswerSums& chosen, const AnswerSums& rejected, const float* scale, double margin) {
  const Differentiated better = valueOf(chosen, loss.value), worse = valueOf(rejected, loss.value);
  const Differentiated f = loss.of(loss.beta * (better.value - worse.value) - loss.gamma - margin);
  const double slope = static_cast<double>(scale[0]) * loss.beta * f.slope, likelihood = static_cast<double>(scale[1]);
  const double both = better.value + worse.value, pull = static_cast<double>(scale[0]) * 2 * loss.center * both;
  const double chosen_share = chosen.mean(loss.mean_rewards), rejected_share = rejected.mean(loss.mean_rewards);
  const double chosen_reward = loss.reward_scale * chosen_share * (chosen.logp - chosen.reference);
  const double rejected_reward = loss.reward_scale * rejected_share * (rejected.logp - rejected.reference);
  PairTerms terms{};
  terms.sums[kLoss] = f.value + loss.center * both * both;
  terms.sums[kLikelihoodLoss] = likelihood != 0 ? -(chosen.logp + chosen.before) : 0;
  terms.sums[kChosenReward] = chosen_reward;
  terms.sums[kRejectedReward] = rejected_reward;
  terms.sums[kCorrect] = chosen_reward > rejected_reward ? 1 : 0;
  terms.sums[kChosenLogp] = chosen_share * chosen.logp;
  terms.sums[kRejectedLogp] = rejected_share * rejected.logp;
  terms.chosen = static_cast<float>((slope + pull) * better.slope - likelihood);
  terms.rejected = static_cast<float>((pull - slope) * worse.slope);
  terms.before = static_cast<float>(-likelihood);
  return terms;
}

struct KtoLoss {
  double beta, chosen_weight, rejected_weight;

  explicit KtoLoss(const double* attributes) : beta(attributes[0]), chosen_weight(attributes[1]), rejected_weight(attributes[2]) {}
};

struct KtoTerms {
  double sums[kPreferenceSums];
  float answer;  // gradient of each of its rows
};

inline ANNEAL_HOST_DEVICE KtoTerms ktoTerms(const KtoLoss& loss, const AnswerSums& answer, bool chosen, double divergence, float scale) {
  const double ratio = answer.logp - answer.reference, sign = chosen ? 1 : -1;
  const double weight = chosen ? loss.chosen_weight : loss.rejected_weight;
  const double rest = sigmoid(-sign * loss.beta * (ratio - divergence));
  KtoTerms terms{};
  terms.sums[kLoss] = weight * rest;
  terms.sums[kChosenReward] = chosen ? loss.beta * ratio : 0;
  terms.sums[kRejectedReward] = chosen ? 0 : loss.beta * ratio;
  terms.sums[kChosenLogp] = chosen ? answer.logp : 0;
  terms.sums[kRejectedLogp] = chosen ? 0 : answer.logp;
  terms.answer = static_cast<float>(static_cast<double>(scale) * -sign * weight * loss.beta * rest * (1 - rest));
  return terms;
}

/** The estimate of the policy's divergence from the reference that the losses of a step are measured from. */
inline ANNEAL_HOST_DEVICE double divergenceOf(const double* sum, float scale) {
  const double mean = sum ? *sum * static_cast<double>(scale) : 0;
  return mean > 0 ? mean : 0;
}

}  // namespace
}  // namespace anneal
