#include "cuda/operand.cuh"
#include "few_rows.cuh"
#include "narrow_gradient.cuh"

namespace anneal::cuda {

// Workspace of each: for every operand whose type is not the one computed in, roundUp(its elements · bytes of that type, 256).
// With bf16 activations that is a float32 weight without a copy and nothing else: 2 · N · K bytes. For gradients of few rows in bf16 it is
// the sums of narrow_gradient.cuh.

/** The weight as a product reads it: its copy where that has the type, else itself, converted where it must be. */
static Matrix weightOf(const Launch& launch, bool transposed, DType type, char*& workspace) {
  const Tensor weight = launch.inputs[1], copy = launch.inputs[3];
  return operandOf(launch, !copy.absent() && copy.type == type ? copy : weight, transposed, type, workspace);
}

static const char* fewRowsOf(const Launch& launch) {
  const Tensor x = launch.inputs[0], copy = launch.inputs[3], weight = copy.absent() ? launch.inputs[1] : copy, y = launch.outputs[0];
  return withType(weight.type, [&](auto zero) {
    using W = decltype(zero);
    fewRows(contextOf(launch).stream, FewRows<PlainWeight<W>>{{dataOf<W>(weight)},
                                                              dataOf<Bf16>(x),
                                                              dataOf<Bf16>(launch.inputs[2]),
                                                              dataOf<Bf16>(y),
                                                              static_cast<int>(x.shape[0]),
                                                              static_cast<int>(weight.shape[0]),
                                                              static_cast<int>(weight.shape[1]),
                                                              static_cast<float>(launch.attributes[0])});
  });
}

const char* linear(const Launch& launch) {
  const Tensor x = launch.inputs[0], c = launch.inputs[2], y = launch.outputs[0];
  if (areFew(x, y, x.shape[1])) return fewRowsOf(launch);
  const DType type = computeType(x, launch.attributes[1]);
  char* workspace = launch.workspace;
  const Matrix a = operandOf(launch, x, false, type, workspace), b = weightOf(launch, true, type, workspace);
  const float alpha = static_cast<float>(launch.attributes[0]);
  return contextOf(launch).blas->multiply(contextOf(launch).stream, {y.shape[0], y.shape[1], x.shape[1], alpha, a, b, c.data, y.data, y.type, y.shape[1]});
}

const char* linear_backward_input(const Launch& launch) {
  const Tensor dy = launch.inputs[0], c = launch.inputs[2], dx = launch.outputs[0];
  const DType type = computeType(dy, launch.attributes[1]);
  char* workspace = launch.workspace;
  const Matrix a = operandOf(launch, dy, false, type, workspace), b = weightOf(launch, false, type, workspace);
  const float alpha = static_cast<float>(launch.attributes[0]);
  return contextOf(launch).blas->multiply(contextOf(launch).stream,
                                          {dx.shape[0], dx.shape[1], dy.shape[1], alpha, a, b, c.data, dx.data, dx.type, dx.shape[1]});
}

/** Whether the kernel for few rows serves this gradient. */
static bool isNarrow(const Tensor& x, const Tensor& gradient) {
  const int64_t rows = gradient.shape[0];
  return x.type == DType::bf16 && x.shape[0] > 0 && rows % kSlice == 0 && rows <= kMostNarrowRows && gradient.shape[1] % kTileColumns == 0;
}

static const char* narrowGradientOf(const Launch& launch, const Tensor& dy, const Tensor& x, const Tensor& gradient) {
  const int tokens = static_cast<int>(x.shape[0]), rows = static_cast<int>(gradient.shape[0]), columns = static_cast<int>(gradient.shape[1]);
  const int regions = columns / kTileColumns;
  return narrowGradient(contextOf(launch).stream,
                        {dataOf<bf16>(dy), dataOf<bf16>(x), gradient.f32(), tokens, rows, columns, static_cast<float>(launch.attributes[0]),
                         partsOf(tokens, regions), tilesOfPart(tokens, regions), reinterpret_cast<float*>(launch.workspace)});
}

const char* linear_backward_weight(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], gradient = launch.outputs[0];
  if (isNarrow(x, gradient)) return narrowGradientOf(launch, dy, x, gradient);
  const DType type = computeType(x, launch.attributes[1]);
  char* workspace = launch.workspace;
  const Matrix a = operandOf(launch, dy, true, type, workspace), b = operandOf(launch, x, false, type, workspace);
  const float alpha = static_cast<float>(launch.attributes[0]);
  return contextOf(launch).blas->multiply(
      contextOf(launch).stream, {gradient.shape[0], gradient.shape[1], x.shape[0], alpha, a, b, gradient.data, gradient.data, gradient.type, gradient.shape[1]});
}

}  // namespace anneal::cuda
