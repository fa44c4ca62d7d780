#include "cuda/add_sums.cuh"
#include "supervised_rows.cuh"

namespace anneal::cuda {
namespace {

const char* run(const Launch& launch, const float* scale, const Tensor& dx, const Tensor* gradient) {
  const Tensor losses = launch.outputs[1];
  const char* problem = overSupervisedRows({launch, {losses.f64(), nullptr}, {scale, nullptr}, dx, gradient});
  if (!problem) addSums(contextOf(launch).stream, losses.f64(), losses.shape[0], launch.outputs[0].f64());
  return problem;
}

}  // namespace

const char* linear_cross_entropy(const Launch& launch) { return run(launch, nullptr, {}, nullptr); }

const char* linear_cross_entropy_training(const Launch& launch) {
  const Tensor& gradient = launch.inputs[6];
  return run(launch, launch.inputs[4].f32(), launch.outputs[2], gradient.absent() ? nullptr : &gradient);
}

}  // namespace anneal::cuda
