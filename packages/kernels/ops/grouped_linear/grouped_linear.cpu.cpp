#include "cpu/addend.h"
#include "cpu/gemm/gemm.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static constexpr int kMembers = 3;

static DType computeType(const Launch& launch) { return launch.attributes[1] != 0 ? DType::bf16 : DType::f32; }

/** The columns of a member among those of a matrix. */
static Matrix columnsOf(const Tensor& matrix, int64_t first, bool transposed) { return {matrix.f32() + first, matrix.type, matrix.shape[1], transposed}; }

/** y's columns from `first` on += alpha · x_i · weightᵀ. */
static void addProduct(const Launch& launch, int member, const Tensor& weight, const Tensor& y, int64_t first) {
  const Tensor x = launch.inputs[0];
  const int64_t columns = weight.shape[0], inner = weight.shape[1];
  gemm(*launch.context, x.shape[0], columns, inner, static_cast<float>(launch.attributes[0]), columnsOf(x, member * inner, false),
       {weight.data, weight.type, inner, true}, y.f32() + first, y.shape[1], true, computeType(launch));
}

/** dx_i = alpha · dy · weight and gradient += alpha · dyᵀ · x_i, of dy's columns from `first` on. */
static void addGradients(const Launch& launch, int member, const Tensor& dy, int64_t first, const Tensor& x, const Tensor& weight) {
  const Tensor dx = launch.outputs[0], gradient = launch.outputs[1 + member];
  const float alpha = static_cast<float>(launch.attributes[0]);
  const int64_t columns = weight.shape[0], inner = weight.shape[1];
  gemm(*launch.context, x.shape[0], inner, columns, alpha, columnsOf(dy, first, false), {weight.data, weight.type, inner, false},
       dx.f32() + member * inner, dx.shape[1], false, computeType(launch));
  gemm(*launch.context, columns, inner, x.shape[0], alpha, columnsOf(dy, first, true), columnsOf(x, member * inner, false), gradient.f32(), inner, true,
       computeType(launch));
}

const char* grouped_linear(const Launch& launch) {
  for (int i = 0; i < kMembers && !launch.inputs[1 + i].absent(); i++) {
    placeAddend(*launch.context, launch.inputs[7 + i], launch.outputs[i]);
    addProduct(launch, i, launch.inputs[1 + i], launch.outputs[i], 0);
  }
  return nullptr;
}

const char* grouped_linear_merged(const Launch& launch) {
  placeAddend(*launch.context, launch.inputs[7], launch.outputs[0]);
  int64_t first = 0;
  for (int i = 0; i < kMembers && !launch.inputs[1 + i].absent(); i++) {
    addProduct(launch, i, launch.inputs[1 + i], launch.outputs[0], first);
    first += launch.inputs[1 + i].shape[0];
  }
  return nullptr;
}

const char* grouped_linear_backward(const Launch& launch) {
  for (int i = 0; i < kMembers && !launch.inputs[i].absent(); i++) addGradients(launch, i, launch.inputs[i], 0, launch.inputs[3], launch.inputs[4 + i]);
  return nullptr;
}

const char* grouped_linear_merged_backward(const Launch& launch) {
  int64_t first = 0;
  for (int i = 0; i < kMembers && !launch.inputs[2 + i].absent(); i++) {
    addGradients(launch, i, launch.inputs[0], first, launch.inputs[1], launch.inputs[2 + i]);
    first += launch.inputs[2 + i].shape[0];
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
