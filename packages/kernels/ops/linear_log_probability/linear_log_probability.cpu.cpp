#include "../linear_cross_entropy/supervised_rows.h"

namespace anneal::ANNEAL_ISA {

const char* linear_log_probability(const Launch& launch) {
  float* logps = launch.outputs[0].f32();
  const int64_t V = launch.inputs[1].shape[0];
  return overSupervisedRows(launch, nullptr, nullptr, [=](int64_t r, float* logits, int32_t label) {
    logps[r] = static_cast<float>(-crossEntropyRow(logits, V, label, nullptr));
  });
}

const char* linear_log_probability_backward(const Launch& launch) {
  const float* dlogps = launch.inputs[4].f32();
  const int64_t V = launch.inputs[1].shape[0];
  const Tensor* gradient = launch.inputs[5].absent() ? nullptr : &launch.inputs[5];
  return overSupervisedRows(launch, launch.outputs[0].f32(), gradient, [=](int64_t r, float* logits, int32_t label) {
    const float scale = -dlogps[r];  // d log p / d logits = onehot - softmax
    crossEntropyRow(logits, V, label, &scale);
  });
}

}  // namespace anneal::ANNEAL_ISA
