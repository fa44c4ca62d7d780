#include <cstring>

#include "answers.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** @return what is wrong with the offsets; null: nothing */
const char* checkOffsets(const AnswerInputs& in, int64_t rows) {
  for (int64_t d = 0; d < in.documents; d++) {
    const int32_t begin = in.row_offsets[d], answer = in.answer_offsets[d], end = in.row_offsets[d + 1];
    if (begin < 0 || answer < begin || end < answer || end > rows) return "the rows of a document lie outside the batch";
  }
  return nullptr;
}

AnswerSums sumAnswer(const AnswerInputs& in, int64_t document) {
  AnswerSums sums;
  const int32_t answer = in.answer_offsets[document], end = in.row_offsets[document + 1];
  for (int32_t r = in.row_offsets[document]; r < answer; r++) sums.before += static_cast<double>(in.logps[r]);
  for (int32_t r = answer; r < end; r++) {
    sums.logp += static_cast<double>(in.logps[r]);
    if (in.reference) sums.reference += static_cast<double>(in.reference[r]);
  }
  sums.tokens = end - answer;
  return sums;
}

void fill(float* gradients, int32_t begin, int32_t end, float value) {
  for (int32_t r = begin; r < end; r++) gradients[r] = value;
}

void addTo(double* totals, const double* sums) {
  for (int i = 0; i < kPreferenceSums; i++) totals[i] += sums[i];
}

}  // namespace

const char* pair_loss(const Launch& launch) {
  const AnswerInputs in(launch);
  const int64_t rows = launch.inputs[0].shape[0];
  if (const char* problem = checkOffsets(in, rows)) return problem;
  const PairLoss loss(launch.attributes);
  const Tensor margins = launch.inputs[7];
  float* dlogps = launch.outputs[1].f32();
  std::memset(dlogps, 0, rows * sizeof(float));
  for (int64_t d = 0; d < in.documents; d++) {
    if (!in.isPair(d)) continue;
    const double margin = margins.absent() ? 0 : static_cast<double>(margins.f32()[d]);
    const PairTerms terms = pairTerms(loss, sumAnswer(in, d), sumAnswer(in, d + 1), in.scale, margin);
    addTo(launch.outputs[0].f64(), terms.sums);
    fill(dlogps, in.row_offsets[d], in.answer_offsets[d], terms.before);
    fill(dlogps, in.answer_offsets[d], in.row_offsets[d + 1], terms.chosen);
    fill(dlogps, in.answer_offsets[d + 1], in.row_offsets[d + 2], terms.rejected);
  }
  return nullptr;
}

const char* kto_loss(const Launch& launch) {
  const AnswerInputs in(launch);
  const int64_t rows = launch.inputs[0].shape[0];
  if (const char* problem = checkOffsets(in, rows)) return problem;
  const KtoLoss loss(launch.attributes);
  const double divergence = divergenceOf(launch.inputs[7].f64(), in.scale[1]);
  float* dlogps = launch.outputs[1].f32();
  std::memset(dlogps, 0, rows * sizeof(float));
  for (int64_t d = 0; d < in.documents; d++) {
    if (in.side[d] != kChosen && in.side[d] != kRejected) continue;
    const KtoTerms terms = ktoTerms(loss, sumAnswer(in, d), in.side[d] == kChosen, divergence, in.scale[0]);
    addTo(launch.outputs[0].f64(), terms.sums);
    fill(dlogps, in.answer_offsets[d], in.row_offsets[d + 1], terms.answer);
  }
  return nullptr;
}

const char* log_ratio_sum(const Launch& launch) {
  const float* logps = launch.inputs[0].f32();
  const float* reference = launch.inputs[1].f32();
  double sum = 0;
  for (int64_t r = 0; r < launch.inputs[0].shape[0]; r++) sum += static_cast<double>(logps[r]) - static_cast<double>(reference[r]);
  *launch.outputs[0].f64() += sum;
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
