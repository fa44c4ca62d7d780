#include "kernel.h"

// The weight is decoded into the workspace, and `linear` reads it there.

namespace anneal::ANNEAL_ISA {

const char* dequantize_nf4(const Launch& launch);
const char* dequantize_nf4_double(const Launch& launch);
const char* linear(const Launch& launch);
const char* expert_linear(const Launch& launch);

/** Inputs behind x that hold the weight: its codes, absmaxes, and of absmaxes that are quantized themselves their scales, map and offsets. */
static constexpr int kSingle = 2, kDouble = 5;

/** @param first, second inputs of `product` behind x and its weight */
static const char* multiply(const Launch& launch, Kernel decode, Kernel product, const Tensor& first, const Tensor& second) {
  const Tensor x = launch.inputs[0], codes = launch.inputs[1];
  const Tensor weight{launch.workspace, DType::f32, 2, {codes.shape[0], 2 * codes.shape[1]}};
  if (const char* problem = decode({launch.inputs + 1, &weight, nullptr, nullptr, launch.context})) return problem;
  const Tensor inputs[] = {x, weight, first, second};
  const double attributes[] = {1, launch.attributes[0]};
  return product({inputs, launch.outputs, attributes, nullptr, launch.context});
}

const char* linear_nf4(const Launch& launch) { return multiply(launch, dequantize_nf4, linear, launch.inputs[1 + kSingle], {}); }
const char* linear_nf4_double(const Launch& launch) { return multiply(launch, dequantize_nf4_double, linear, launch.inputs[1 + kDouble], {}); }

const char* expert_linear_nf4(const Launch& launch) {
  return multiply(launch, dequantize_nf4, expert_linear, launch.inputs[1 + kSingle], launch.inputs[2 + kSingle]);
}

const char* expert_linear_nf4_double(const Launch& launch) {
  return multiply(launch, dequantize_nf4_double, expert_linear, launch.inputs[1 + kDouble], launch.inputs[2 + kDouble]);
}

}  // namespace anneal::ANNEAL_ISA
