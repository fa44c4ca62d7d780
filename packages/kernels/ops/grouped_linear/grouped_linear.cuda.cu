#include "add_products.cuh"
#include "cuda/operand.cuh"
#include "gradients.cuh"

// Workspace: for every member whose weight has not the type computed in, roundUp(its elements · bytes of that type, 256); then for the
// backward pass, where our own kernels serve it, the sums of gradients.cuh.

namespace anneal::cuda {

namespace {

/** A member's weight as products read it: its copy where that has the type, else itself, converted where it must be. */
Matrix weightOf(const Launch& launch, int weight, bool transposed, DType type, char*& workspace) {
  const Tensor own = launch.inputs[weight], copy = launch.inputs[weight + kMembers];
  return operandOf(launch, !copy.absent() && copy.type == type ? copy : own, transposed, type, workspace);
}

/** The block of x, [T, R], that a member reads or writes. */
char* blockOf(const Tensor& x, int member, int64_t columns) { return x.data + member * columns * static_cast<int64_t>(elementBytes(x.type)); }

/** Whether our own kernels serve these types and sizes: what ranks and widths are in models. `members` are [T, N] each. */
bool isServed(const Tensor& x, int64_t rank, const Tensor* members) {
  bool served = x.type == DType::bf16 && rank % kSlice == 0 && x.shape[0] > 0;
  for (int i = 0; i < kMembers; i++) served = served && (members[i].absent() || members[i].shape[1] % kTileColumns == 0);
  return served;
}

const char* addOurselves(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  AddProducts p{};
  p.x = dataOf<bf16>(x);
  p.tokens = static_cast<int>(x.shape[0]);
  p.rank = static_cast<int>(launch.inputs[1].shape[1]);
  p.alpha = static_cast<float>(launch.attributes[0]);
  int tiles = 0;
  char* workspace = launch.workspace;
  for (; p.count < kMembers && !launch.inputs[1 + p.count].absent(); p.count++) {
    const Tensor c = launch.inputs[7 + p.count], y = launch.outputs[p.count];
    const void* weight = weightOf(launch, 1 + p.count, true, x.type, workspace).data;
    const int columns = static_cast<int>(y.shape[1]);
    p.members[p.count] = {static_cast<const bf16*>(weight), dataOf<bf16>(c), dataOf<bf16>(y), columns, tiles};
    tiles += columns / kTileColumns;
  }
  const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(divideUp(p.tokens, kAddTokens)));
  addProductsKernel<<<grid, kAddThreads, 0, contextOf(launch).stream>>>(p);
  return nullptr;
}

const char* gradientsOurselves(const Launch& launch) {
  const Tensor x = launch.inputs[3];
  GroupGradients p{};
  p.x = dataOf<bf16>(x);
  p.dx = dataOf<bf16>(launch.outputs[0]);
  p.tokens = static_cast<int>(x.shape[0]);
  p.rank = static_cast<int>(launch.inputs[4].shape[1]);
  p.alpha = static_cast<float>(launch.attributes[0]);
  char* workspace = launch.workspace;
  for (; p.count < kMembers && !launch.inputs[4 + p.count].absent(); p.count++) {
    const void* weight = weightOf(launch, 4 + p.count, false, x.type, workspace).data;
    const int columns = static_cast<int>(launch.inputs[p.count].shape[1]);
    p.members[p.count] = {dataOf<bf16>(launch.inputs[p.count]), static_cast<const bf16*>(weight), launch.outputs[1 + p.count].f32(), columns, p.columns,
                          p.regions};
    p.columns += columns;
    p.regions += divideUp(columns, kRegionColumns);
  }
  p.tilesOfPart = tilesOfPart(p.tokens, p.regions);
  p.parts = partsOf(p.tokens, p.regions);
  p.dxSums = take<float>(workspace, int64_t{p.regions} * p.tokens * p.rank);
  p.gradientSums = take<float>(workspace, int64_t{p.parts} * p.columns * p.rank);
  return groupGradients(contextOf(launch).stream, p);
}

}  // namespace

const char* grouped_linear(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  if (isServed(x, launch.inputs[1].shape[1], launch.outputs)) return addOurselves(launch);
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
  if (isServed(x, launch.inputs[4].shape[1], launch.inputs)) return gradientsOurselves(launch);
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
