#include "cpu/addend.h"
#include "cpu/gemm/gemm.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static Matrix matrix(const Tensor& tensor, bool transposed) { return {tensor.data, tensor.type, tensor.shape[1], transposed}; }

static DType computeType(const Launch& launch) { return launch.attributes[1] != 0 ? DType::bf16 : DType::f32; }

const char* linear(const Launch& launch) {
  const Tensor x = launch.inputs[0], weight = launch.inputs[1], y = launch.outputs[0];
  const bool accumulate = placeAddend(*launch.context, launch.inputs[2], y);
  gemm(*launch.context, x.shape[0], weight.shape[0], weight.shape[1], static_cast<float>(launch.attributes[0]), matrix(x, false), matrix(weight, true),
       y.f32(), weight.shape[0], accumulate, computeType(launch));
  return nullptr;
}

const char* linear_backward_input(const Launch& launch) {
  const Tensor dy = launch.inputs[0], weight = launch.inputs[1], dx = launch.outputs[0];
  const bool accumulate = placeAddend(*launch.context, launch.inputs[2], dx);
  gemm(*launch.context, dy.shape[0], weight.shape[1], weight.shape[0], static_cast<float>(launch.attributes[0]), matrix(dy, false), matrix(weight, false),
       dx.f32(), weight.shape[1], accumulate, computeType(launch));
  return nullptr;
}

const char* linear_backward_weight(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], gradient = launch.outputs[0];
  gemm(*launch.context, dy.shape[1], x.shape[1], x.shape[0], static_cast<float>(launch.attributes[0]), matrix(dy, true), matrix(x, false), gradient.f32(),
       x.shape[1], true, computeType(launch));
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
