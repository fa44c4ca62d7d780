#include "../linear_cross_entropy/supervised_rows.h"

namespace anneal::ANNEAL_ISA {

const char* linear_log_probability(const Launch& launch) {
  float* logps = launch.outputs[0].f32();
  return overSupervisedRows(launch, nullptr, nullptr, [=, &launch](int64_t r, float* logits, int32_t label) {
    logps[r] = static_cast<float>(-crossEntropyRow(launch, logits, label, nullptr));
  });
}

const char* linear_log_probability_backward(const Launch& launch) {
  const float* dlogps = launch.inputs[4].f32();
  const Tensor* gradient = launch.inputs[5].absent() ? nullptr : &launch.inputs[5];
  return overSupervisedRows(launch, launch.outputs[0].f32(), gradient, [=, &launch](int64_t r, float* logits, int32_t label) {
    const float scale = -dlogps[r];  // d log p / d logits = onehot - softmax
    crossEntropyRow(launch, logits, label, &scale);
  });
}

}  // namespace anneal::ANNEAL_ISA
