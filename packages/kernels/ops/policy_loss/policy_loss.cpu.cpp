#include <cstring>

#include "policy.h"

namespace anneal::ANNEAL_ISA {

const char* policy_loss(const Launch& launch) {
  const PolicyInputs in(launch);
  const PolicyLoss loss(launch.attributes);
  double* totals = launch.outputs[0].f64();
  float* dlogps = launch.outputs[1].f32();
  std::memset(dlogps, 0, in.rows * sizeof(float));
  for (int64_t d = 0; d < in.documents; d++) {
    const int32_t begin = in.row_offsets[d], end = in.row_offsets[d + 1];
    if (begin < 0 || end < begin || end > in.rows) return "the rows of a document lie outside the batch";
    const double weight = static_cast<double>(in.weights[d]), advantage = static_cast<double>(in.advantages[d]);
    if (weight == 0 || begin == end) continue;
    AnswerShare share;
    for (int32_t r = begin; r < end; r++) share.log_ratio += in.logRatio(r), share.divergence += divergenceOf(in.lead(r));
    for (int32_t r = begin; r < end; r++) {
      const TokenTerms terms = loss.of(in.logRatio(r), in.lead(r), advantage, share, end - begin);
      dlogps[r] = static_cast<float>(weight * terms.slope);
      totals[kPolicyLoss] += weight * terms.loss;
      totals[kDivergence] += terms.divergence;
      if (loss.sequence && r > begin) continue;  // one ratio, counted once
      totals[kClippedLow] += terms.low ? 1 : 0;
      totals[kClippedHigh] += terms.high ? 1 : 0;
    }
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
