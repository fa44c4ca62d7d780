#include "cuda/operand.cuh"

namespace anneal::cuda {
namespace {

/** to = scale · op(a) · op(b) + added, all float32; `added` is laid out as `to`, or is `to`. */
const char* addTo(const Launch& launch, const Tensor& a, bool transposesA, const Tensor& b, bool transposesB, const void* added, const Tensor& to) {
  const auto matrix = [](const Tensor& tensor, bool transposed) { return Matrix{tensor.data, DType::f32, tensor.shape[1], transposed}; };
  const CudaContext& context = contextOf(launch);
  const int64_t rows = to.shape[0], columns = to.shape[1], inner = a.shape[transposesA ? 0 : 1];
  return context.blas->multiply(context.stream, {rows, columns, inner, static_cast<float>(launch.attributes[0]), matrix(a, transposesA),
                                                 matrix(b, transposesB), added, to.data, DType::f32, columns});
}

}  // namespace

const char* adapted_matrix(const Launch& launch) {
  const Tensor weight = launch.inputs[0], a = launch.inputs[1], b = launch.inputs[2], adapted = launch.outputs[0];
  if (weight.type == DType::f32) return addTo(launch, b, false, a, false, weight.data, adapted);
  if (weight.type != DType::bf16) return kUnsupportedType;
  overElements<Bf16>(launch, weight.elements(), Convert<Bf16, float>{dataOf<Bf16>(weight), adapted.f32()});
  return addTo(launch, b, false, a, false, adapted.data, adapted);
}

const char* adapted_matrix_backward(const Launch& launch) {
  const Tensor gradient = launch.inputs[0], a = launch.inputs[1], b = launch.inputs[2], aTotal = launch.outputs[0], bTotal = launch.outputs[1];
  if (const char* problem = addTo(launch, b, true, gradient, false, aTotal.data, aTotal)) return problem;
  return addTo(launch, gradient, false, a, true, bTotal.data, bTotal);
}

}  // namespace anneal::cuda
