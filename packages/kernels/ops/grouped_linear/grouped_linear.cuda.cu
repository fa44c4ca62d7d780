#include "cuda/operand.cuh"

namespace anneal::cuda {

namespace {

constexpr int kMembers = 3;

/** A member's weight as products read it: its copy where that has the type, else itself, converted where it must be. */
Matrix weightOf(const Launch& launch, int weight, bool transposed, DType type, char*& workspace) {
  const Tensor own = launch.inputs[weight], copy = launch.inputs[weight + kMembers];
  return operandOf(launch, !copy.absent() && copy.type == type ? copy : own, transposed, type, workspace);
}

/** The block of x, [T, R], that a member reads or writes. */
char* blockOf(const Tensor& x, int member, int64_t columns) { return x.data + member * columns * static_cast<int64_t>(elementBytes(x.type)); }

}  // namespace

const char* grouped_linear(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  const float alpha = static_cast<float>(launch.attributes[0]);
  char* workspace = launch.workspace;
  for (int i = 0; i < kMembers; i++) {
    const Tensor weight = launch.inputs[1 + i], c = launch.inputs[7 + i], y = launch.outputs[i];
    if (weight.absent()) continue;
    const int64_t columns = weight.shape[0], inner = weight.shape[1];
    const Matrix a{blockOf(x, i, inner), x.type, x.shape[1], false}, b = weightOf(launch, 1 + i, true, x.type, workspace);
    if (const char* problem =
            contextOf(launch).blas->multiply(contextOf(launch).stream, {x.shape[0], columns, inner, alpha, a, b, c.data, y.data, y.type, columns}))
      return problem;
  }
  return nullptr;
}

const char* grouped_linear_backward(const Launch& launch) {
  const Tensor x = launch.inputs[3], dx = launch.outputs[0];
  const float alpha = static_cast<float>(launch.attributes[0]);
  Blas& blas = *contextOf(launch).blas;
  const cudaStream_t stream = contextOf(launch).stream;
  char* workspace = launch.workspace;
  for (int i = 0; i < kMembers; i++) {
    const Tensor dy = launch.inputs[i], gradient = launch.outputs[1 + i];
    if (dy.absent()) continue;
    const int64_t columns = gradient.shape[0], inner = gradient.shape[1];
    const Matrix weight = weightOf(launch, 4 + i, false, x.type, workspace);
    const Matrix rows{dy.data, dy.type, columns, false}, transposed{dy.data, dy.type, columns, true};
    const char* problem =
        blas.multiply(stream, {x.shape[0], inner, columns, alpha, rows, weight, nullptr, blockOf(dx, i, inner), dx.type, dx.shape[1]});
    if (!problem)
      problem = blas.multiply(stream, {columns, inner, x.shape[0], alpha, transposed, {blockOf(x, i, inner), x.type, x.shape[1], false}, gradient.data,
                                       gradient.data, gradient.type, inner});
    if (problem) return problem;
  }
  return nullptr;
}

}  // namespace anneal::cuda
