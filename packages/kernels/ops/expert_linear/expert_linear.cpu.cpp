#include "cpu/addend.h"
#include "cpu/expert_rows.h"
#include "cpu/gemm/gemm.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static DType computeType(const Launch& launch) { return launch.attributes[1] != 0 ? DType::bf16 : DType::f32; }

static float alphaOf(const Launch& launch) { return static_cast<float>(launch.attributes[0]); }

/** The elements of an expert in a matrix of R rows of K that holds those of all. */
static const char* weightOf(const Tensor& weight, int64_t expert, int64_t elements) {
  return weight.data + expert * elements * (weight.type == DType::bf16 ? 2 : 4);
}

const char* expert_linear(const Launch& launch) {
  const Tensor x = launch.inputs[0], weight = launch.inputs[1], offsets = launch.inputs[2], y = launch.outputs[0];
  const int64_t E = offsets.shape[0] - 1, K = weight.shape[1], N = weight.shape[0] / E;
  if (!ascend(offsets, x.elements() / K)) return kOffsetsUnordered;
  const bool accumulate = placeAddend(*launch.context, launch.inputs[3], y);
  for (int64_t e = 0; e < E; e++) {
    const int64_t first = offsets.i32()[e], rows = offsets.i32()[e + 1] - first;
    gemm(*launch.context, rows, N, K, alphaOf(launch), {x.f32() + first * K, x.type, K, false}, {weightOf(weight, e, N * K), weight.type, K, true},
         y.f32() + first * N, N, accumulate, computeType(launch));
  }
  return nullptr;
}

const char* expert_linear_backward_input(const Launch& launch) {
  const Tensor dy = launch.inputs[0], weight = launch.inputs[1], offsets = launch.inputs[2], dx = launch.outputs[0];
  const int64_t E = offsets.shape[0] - 1, K = weight.shape[1], N = weight.shape[0] / E;
  if (!ascend(offsets, dy.elements() / N)) return kOffsetsUnordered;
  const bool accumulate = placeAddend(*launch.context, launch.inputs[3], dx);
  for (int64_t e = 0; e < E; e++) {
    const int64_t first = offsets.i32()[e], rows = offsets.i32()[e + 1] - first;
    gemm(*launch.context, rows, K, N, alphaOf(launch), {dy.f32() + first * N, dy.type, N, false}, {weightOf(weight, e, N * K), weight.type, K, false},
         dx.f32() + first * K, K, accumulate, computeType(launch));
  }
  return nullptr;
}

const char* expert_linear_backward_weight(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], offsets = launch.inputs[2], gradient = launch.outputs[0];
  const int64_t E = offsets.shape[0] - 1, K = gradient.shape[1], N = gradient.shape[0] / E;
  if (!ascend(offsets, x.elements() / K)) return kOffsetsUnordered;
  for (int64_t e = 0; e < E; e++) {
    const int64_t first = offsets.i32()[e], rows = offsets.i32()[e + 1] - first;
    gemm(*launch.context, N, K, rows, alphaOf(launch), {dy.f32() + first * N, dy.type, N, true}, {x.f32() + first * K, x.type, K, false},
         gradient.f32() + e * N * K, K, true, computeType(launch));
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
