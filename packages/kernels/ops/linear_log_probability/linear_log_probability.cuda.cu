#include "../linear_cross_entropy/supervised_rows.cuh"

namespace anneal::cuda {

const char* linear_log_probability(const Launch& launch) {
  return overSupervisedRows({launch, {nullptr, launch.outputs[0].f32()}, {}, {}, nullptr});
}

const char* linear_log_probability_backward(const Launch& launch) {
  const Tensor& gradient = launch.inputs[5];
  return overSupervisedRows({launch, {}, {nullptr, launch.inputs[4].f32()}, launch.outputs[0], gradient.absent() ? nullptr : &gradient});
}

}  // namespace anneal::cuda
