#include "supervised_rows.h"

namespace anneal::ANNEAL_ISA {
namespace {

const char* run(const Launch& launch, const float* scale, float* dx, const Tensor* gradient) {
  double* losses = launch.outputs[1].f64();
  const char* problem = overSupervisedRows(
      launch, dx, gradient, [=, &launch](int64_t r, float* logits, int32_t label) { losses[r] = crossEntropyRow(launch, logits, label, scale); });
  if (problem) return problem;
  double* loss = launch.outputs[0].f64();
  for (int64_t r = 0; r < launch.inputs[3].shape[0]; r++) *loss += losses[r];
  return nullptr;
}

}  // namespace

const char* linear_cross_entropy(const Launch& launch) { return run(launch, nullptr, nullptr, nullptr); }

const char* linear_cross_entropy_training(const Launch& launch) {
  const Tensor* gradient = launch.inputs[6].absent() ? nullptr : &launch.inputs[6];
  return run(launch, launch.inputs[4].f32(), launch.outputs[2].f32(), gradient);
}

}  // namespace anneal::ANNEAL_ISA
