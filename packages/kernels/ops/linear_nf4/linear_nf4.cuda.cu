#include "../expert_linear/wide_tiles.cuh"
#include "../linear/few_rows.cuh"
#include "decoded_rows.cuh"
#include "nf4_weight.cuh"

// Up to 64 rows are multiplied with codes as they lie in memory, a quarter of the bytes of a matrix in bf16. For more, the weight is decoded into the
// workspace, roundUp(N · K · bytes of the activations' type, 256), behind which is that of `linear`; not experts', where products read the codes.

namespace anneal::cuda {

const char* dequantize_nf4(const Launch& launch);
const char* dequantize_nf4_double(const Launch& launch);
const char* linear(const Launch& launch);
const char* expert_linear(const Launch& launch);
const char* expert_linear_backward_input(const Launch& launch);

namespace {

/** How the weight of a launch is held, and its inputs behind x and the weight. */
template <typename AbsmaxOf>
struct Held {
  AbsmaxOf absmax;
  Kernel decode;
  const Tensor* others;
};

Held<Absmax> single(const Launch& launch) { return {{launch.inputs[2].f32()}, dequantize_nf4, launch.inputs + 3}; }

Held<DoubleAbsmax> twice(const Launch& launch) {
  const Tensor* in = launch.inputs;
  return {{in[2].u8(), in[3].f32(), in[4].f32(), in[5].f32()}, dequantize_nf4_double, in + 6};
}

/** @param first, second inputs of `product` behind x and its weight */
const char* decodeAndMultiply(const Launch& launch, Kernel decode, Kernel product, const Tensor& first, const Tensor& second) {
  const Tensor x = launch.inputs[0], codes = launch.inputs[1];
  char* workspace = launch.workspace;
  Tensor weight{workspace, x.type, 2, {codes.shape[0], 2 * codes.shape[1]}};
  workspace += alignUp(weight.elements() * (x.type == DType::bf16 ? 2 : 4));
  if (const char* problem = decode({launch.inputs + 1, &weight, nullptr, nullptr, launch.context})) return problem;
  const Tensor inputs[] = {x, weight, first, second};
  const double attributes[] = {1, launch.attributes[0]};
  return product({inputs, launch.outputs, attributes, workspace, launch.context});
}

template <typename AbsmaxOf>
FewRows<Nf4Weight<AbsmaxOf>> fewRowsOf(const Launch& launch, const AbsmaxOf& absmax, const Tensor& c) {
  const Tensor x = launch.inputs[0], codes = launch.inputs[1];
  return {{codes.u8(), absmax},
          dataOf<Bf16>(x),
          dataOf<Bf16>(c),
          dataOf<Bf16>(launch.outputs[0]),
          static_cast<int>(x.shape[0]),
          static_cast<int>(codes.shape[0]),
          static_cast<int>(2 * codes.shape[1]),
          1.0f};
}

template <typename AbsmaxOf>
const char* multiply(const Launch& launch, const Held<AbsmaxOf>& held) {
  const auto p = fewRowsOf(launch, held.absmax, held.others[0]);
  if (servesDecodedRows(launch.inputs[0], launch.outputs[0], p.columns)) {
    const DecodedRows<AbsmaxOf> rows{p.weight.codes, p.weight.absmax, p.x, p.c, p.y, p.tokens, p.rows, p.columns};
    decodedRows(contextOf(launch).stream, rows, contextOf(launch).multiprocessors);
    return nullptr;
  }
  if (!areFew(launch.inputs[0], launch.outputs[0], p.columns)) return decodeAndMultiply(launch, held.decode, linear, held.others[0], {});
  fewRows(contextOf(launch).stream, p);
  return nullptr;
}

/** Block (x, row of y): `p` is of one row, and of the weight of one expert. */
template <typename Weight>
__global__ void __launch_bounds__(kFewThreads) expertRowsKernel(FewRows<Weight> p, int share, const int32_t* offsets, int experts, int32_t* fault) {
  const int row = static_cast<int>(blockIdx.y);
  int expert = 0;
  for (int from = 0; from < experts; from += kFewThreads) {
    const int at = from + static_cast<int>(threadIdx.x);
    expert += __syncthreads_count(at < experts && offsets[at + 1] <= row);
  }
  if (expert == experts || offsets[0] != 0) {
    if (threadIdx.x == 0) report(fault, Fault::row);
    return;
  }
  p.x += int64_t{row} * p.columns, p.y += int64_t{row} * p.rows;
  if (p.c) p.c += int64_t{row} * p.rows;
  multiplyFewRows<1>(p, int64_t{expert} * p.rows * p.columns, share);
}

/** @param plain dy · weight, else x · weightᵀ */
const char* multiplyManyRows(const Launch& launch, const Held<DoubleAbsmax>& held, bool plain) {
  const Tensor codes = launch.inputs[1], offsets = held.others[0], c = held.others[1];
  ExpertProduct p = expertProductOf(launch, codes.shape[0], 2 * codes.shape[1], offsets);
  p.alpha = 1, p.c = c, p.rows = static_cast<int>(p.a.elements() / (plain ? p.N : p.K));
  if (p.rows == 0) return nullptr;
  if (!servesWideTiles(p, true)) return decodeAndMultiply(launch, held.decode, plain ? expert_linear_backward_input : expert_linear, offsets, c);
  const Nf4Blocks weight{codes.u8(), held.absmax};
  return wideExpertProduct(p, &weight, plain, contextOf(launch).multiprocessors, contextOf(launch).stream);
}
const char* multiplyManyRows(const Launch& launch, const Held<Absmax>& held, bool) {
  return decodeAndMultiply(launch, held.decode, expert_linear, held.others[0], held.others[1]);
}

template <typename AbsmaxOf>
const char* multiplyExperts(const Launch& launch, const Held<AbsmaxOf>& held) {
  const Tensor x = launch.inputs[0], offsets = held.others[0], c = held.others[1];
  auto p = fewRowsOf(launch, held.absmax, c);
  if (!areFew(x, launch.outputs[0], p.columns)) return multiplyManyRows(launch, held, false);
  const int experts = static_cast<int>(offsets.shape[0] - 1), rows = static_cast<int>(x.elements() / p.columns);
  p.tokens = 1, p.rows /= experts;
  const int share = warpsOfRow(int64_t{p.rows} * rows, p.columns);
  const dim3 grid(fewRowsBlocks(p.rows, share), static_cast<unsigned>(rows));
  expertRowsKernel<<<grid, kFewThreads, 0, contextOf(launch).stream>>>(p, share, offsets.i32(), experts, contextOf(launch).fault);
  return nullptr;
}

}  // namespace

const char* linear_nf4(const Launch& launch) { return multiply(launch, single(launch)); }
const char* linear_nf4_double(const Launch& launch) { return multiply(launch, twice(launch)); }
const char* expert_linear_nf4(const Launch& launch) { return multiplyExperts(launch, single(launch)); }
const char* expert_linear_nf4_double(const Launch& launch) { return multiplyExperts(launch, twice(launch)); }
const char* expert_linear_nf4_double_backward_input(const Launch& launch) { return multiplyManyRows(launch, twice(launch), true); }

}  // namespace anneal::cuda
