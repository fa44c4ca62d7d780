#include "add_products.cuh"
#include "cuda/operand.cuh"
#include "gradients.cuh"

// Workspace: for every member whose weight has not the type computed in, roundUp(its elements · bytes of that type, 256); then for the
// backward pass, where our own kernels serve it, the sums of gradients.cuh.

namespace anneal::cuda {

namespace {

/** A member's rows: c or dy, and y. Those of merged members lie among the columns of all. */
struct Part {
  Matrix weight;  // [columns, rank], in the type computed in
  const char* from;
  char* to;
  int64_t columns, stride;
  float* gradient;
};

struct Group {
  Tensor x;
  char* dx;
  int64_t rank;
  float alpha;
  int count;
  Part parts[kMembers];
};

char* columnsFrom(const Tensor& matrix, int64_t column) { return matrix.data + column * static_cast<int64_t>(elementBytes(matrix.type)); }

/** A member's weight as products read it: its copy where that has the type, else itself, converted where it must be. */
Matrix weightOf(const Launch& launch, int weight, DType type, char*& workspace) {
  const Tensor own = launch.inputs[weight], copy = launch.inputs[weight + kMembers];
  return operandOf(launch, !copy.absent() && copy.type == type ? copy : own, true, type, workspace);
}

/**
 * What the launch is about. Its inputs are c or dy – at `rows`, one for each member or one for all – x, weights and copies; its outputs
 * are laid out alike (`sums`), or dx and then the gradients.
 */
Group groupOf(const Launch& launch, int x, int weights, int rows, bool merged, bool backward, char*& workspace) {
  Group group{};
  group.x = launch.inputs[x];
  group.rank = launch.inputs[weights].shape[1];
  group.alpha = static_cast<float>(launch.attributes[0]);
  if (backward) group.dx = launch.outputs[0].data;
  int64_t first = 0;
  for (int& i = group.count; i < kMembers && !launch.inputs[weights + i].absent(); i++) {
    Part& part = group.parts[i];
    const Tensor from = launch.inputs[rows + (merged ? 0 : i)], to = launch.outputs[merged || backward ? 0 : i];
    part.weight = weightOf(launch, weights + i, group.x.type, workspace);
    part.columns = launch.inputs[weights + i].shape[0];
    part.stride = from.shape[1];
    part.from = columnsFrom(from, first);
    if (backward)
      part.gradient = launch.outputs[1 + i].f32();
    else
      part.to = columnsFrom(to, first);
    if (merged) first += part.columns;
  }
  return group;
}

/** Whether our own kernels serve these types and sizes: what ranks and widths are in models. */
bool isServed(const Group& group) {
  bool served = group.x.type == DType::bf16 && group.rank % kSlice == 0 && group.x.shape[0] > 0;
  for (int i = 0; i < group.count; i++) served = served && group.parts[i].columns % kTileColumns == 0;
  return served;
}

const char* addOurselves(const Launch& launch, const Group& group) {
  AddProducts p{};
  p.x = dataOf<bf16>(group.x);
  p.count = group.count;
  p.tokens = static_cast<int>(group.x.shape[0]);
  p.rank = static_cast<int>(group.rank);
  p.alpha = group.alpha;
  int tiles = 0;
  for (int i = 0; i < group.count; i++) {
    const Part& part = group.parts[i];
    p.members[i] = {static_cast<const bf16*>(part.weight.data), reinterpret_cast<const bf16*>(part.from), reinterpret_cast<bf16*>(part.to),
                    static_cast<int>(part.stride), tiles};
    tiles += static_cast<int>(part.columns) / kTileColumns;
  }
  const dim3 grid(static_cast<unsigned>(tiles), static_cast<unsigned>(divideUp(p.tokens, kAddTokens)));
  addProductsKernel<<<grid, kAddThreads, 0, contextOf(launch).stream>>>(p);
  return nullptr;
}

const char* gradientsOurselves(const Launch& launch, const Group& group, char* workspace) {
  GroupGradients p{};
  p.x = dataOf<bf16>(group.x);
  p.dx = reinterpret_cast<bf16*>(group.dx);
  p.count = group.count;
  p.tokens = static_cast<int>(group.x.shape[0]);
  p.rank = static_cast<int>(group.rank);
  p.alpha = group.alpha;
  for (int i = 0; i < group.count; i++) {
    const Part& part = group.parts[i];
    const int columns = static_cast<int>(part.columns);
    p.members[i] = {reinterpret_cast<const bf16*>(part.from),
                    static_cast<const bf16*>(part.weight.data),
                    part.gradient,
                    columns,
                    static_cast<int>(part.stride),
                    p.columns,
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

const char* add(const Launch& launch, bool merged) {
  char* workspace = launch.workspace;
  const Group group = groupOf(launch, 0, 1, 1 + 2 * kMembers, merged, false, workspace);
  if (isServed(group)) return addOurselves(launch, group);
  const Tensor& x = group.x;
  for (int i = 0; i < group.count; i++) {
    const Part& part = group.parts[i];
    const Matrix a{columnsFrom(x, i * group.rank), x.type, x.shape[1], false};
    if (const char* problem = contextOf(launch).blas->multiply(
            contextOf(launch).stream, {x.shape[0], part.columns, group.rank, group.alpha, a, part.weight, part.from, part.to, x.type, part.stride}))
      return problem;
  }
  return nullptr;
}

const char* addGradients(const Launch& launch, int x, bool merged) {
  char* workspace = launch.workspace;
  const Group group = groupOf(launch, x, x + 1, 0, merged, true, workspace);
  if (isServed(group)) return gradientsOurselves(launch, group, workspace);
  Blas& blas = *contextOf(launch).blas;
  const cudaStream_t stream = contextOf(launch).stream;
  const DType type = group.x.type;
  const int64_t tokens = group.x.shape[0], rank = group.rank;
  for (int i = 0; i < group.count; i++) {
    const Part& part = group.parts[i];
    const Matrix dy{part.from, type, part.stride, false}, dyTransposed{part.from, type, part.stride, true};
    const Matrix weight{part.weight.data, type, rank, false}, inner{columnsFrom(group.x, i * rank), type, group.x.shape[1], false};
    const char* problem = blas.multiply(stream, {tokens, rank, part.columns, group.alpha, dy, weight, nullptr, columnsFrom(launch.outputs[0], i * rank),
                                                 type, group.x.shape[1]});
    if (!problem)
      problem = blas.multiply(
          stream, {part.columns, rank, tokens, group.alpha, dyTransposed, inner, part.gradient, part.gradient, DType::f32, rank});
    if (problem) return problem;
  }
  return nullptr;
}

}  // namespace

const char* grouped_linear(const Launch& launch) { return add(launch, false); }
const char* grouped_linear_merged(const Launch& launch) { return add(launch, true); }
const char* grouped_linear_backward(const Launch& launch) { return addGradients(launch, kMembers, false); }
const char* grouped_linear_merged_backward(const Launch& launch) { return addGradients(launch, 1, true); }

}  // namespace anneal::cuda
