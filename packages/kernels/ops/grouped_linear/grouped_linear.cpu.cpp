#include "cpu/addend.h"
#include "cpu/gemm/gemm.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static constexpr int kMembers = 3;

static DType computeType(const Launch& launch) { return launch.attributes[1] != 0 ? DType::bf16 : DType::f32; }

/** The block of x, [T, R], that a member reads or writes. */
static Matrix block(const Tensor& x, int member, int64_t columns, bool transposed) {
  return {x.f32() + member * columns, x.type, x.shape[1], transposed};
}

const char* grouped_linear(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  for (int i = 0; i < kMembers; i++) {
    const Tensor weight = launch.inputs[1 + i], y = launch.outputs[i];
    if (weight.absent()) continue;
    placeAddend(*launch.context, launch.inputs[7 + i], y);
    const int64_t columns = weight.shape[0], inner = weight.shape[1];
    gemm(*launch.context, x.shape[0], columns, inner, static_cast<float>(launch.attributes[0]), block(x, i, inner, false),
         {weight.data, weight.type, inner, true}, y.f32(), columns, true, computeType(launch));
  }
  return nullptr;
}

const char* grouped_linear_backward(const Launch& launch) {
  const Tensor x = launch.inputs[3], dx = launch.outputs[0];
  const float alpha = static_cast<float>(launch.attributes[0]);
  for (int i = 0; i < kMembers; i++) {
    const Tensor dy = launch.inputs[i], weight = launch.inputs[4 + i], gradient = launch.outputs[1 + i];
    if (weight.absent()) continue;
    const int64_t columns = weight.shape[0], inner = weight.shape[1];
    gemm(*launch.context, x.shape[0], inner, columns, alpha, {dy.data, dy.type, columns, false}, {weight.data, weight.type, inner, false},
         dx.f32() + i * inner, dx.shape[1], false, computeType(launch));
    gemm(*launch.context, columns, inner, x.shape[0], alpha, {dy.data, dy.type, columns, true}, block(x, i, inner, false), gradient.f32(), inner, true,
         computeType(launch));
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
