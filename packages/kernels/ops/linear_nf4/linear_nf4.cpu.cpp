#include "cpu/expert_rows.h"
#include "kernel.h"
#include "nf4.h"

// A weight is decoded into the workspace, and `linear` reads it there: of experts one after the other, and only those that have rows.

namespace anneal::ANNEAL_ISA {

const char* dequantize_nf4(const Launch& launch);
const char* dequantize_nf4_double(const Launch& launch);
const char* linear(const Launch& launch);
const char* expert_linear(const Launch& launch);
const char* expert_linear_backward_input(const Launch& launch);

/** Rows of a weight: its codes and absmaxes, and of absmaxes that are quantized themselves their scales, map and offsets. */
struct Nf4Rows {
  Tensor parts[5];
  bool is_double;

  int64_t rows() const { return parts[0].shape[0]; }
  int64_t columns() const { return 2 * parts[0].shape[1]; }
  const char* decode(const Launch& launch, const Tensor& weight) const {
    return (is_double ? dequantize_nf4_double : dequantize_nf4)({parts, &weight, nullptr, nullptr, launch.context});
  }
  /** Whether no block, and none of scales, reaches from one of these parts of the rows into another. */
  bool canPart(int64_t into) const { return rows() / into * columns() % (kNf4Block * (is_double ? kNf4ScaleBlock : 1)) == 0; }
  /** Part number `index` of `into` equal ones. */
  Nf4Rows part(int64_t index, int64_t into) const {
    Nf4Rows part = *this;
    for (int i = 0; i < (is_double ? 5 : 2); i++) {
      if (i == 3) continue;  // all rows share the map
      Tensor& tensor = part.parts[i];
      tensor.shape[0] /= into;
      tensor.data += index * tensor.elements() * (tensor.type == DType::u8 ? 1 : 4);
    }
    return part;
  }
};

static Nf4Rows single(const Launch& launch) { return {{launch.inputs[1], launch.inputs[2]}, false}; }

static Nf4Rows twice(const Launch& launch) {
  const Tensor* in = launch.inputs;
  return {{in[1], in[2], in[3], in[4], in[5]}, true};
}

/** y = x · weightᵀ (+ c) by `product`, whose inputs behind x and the weight are `others`. */
static const char* multiply(const Launch& launch, const Nf4Rows& held, Kernel product, const Tensor& x, const Tensor (&others)[2], const Tensor& y) {
  const Tensor weight{launch.workspace, DType::f32, 2, {held.rows(), held.columns()}};
  if (const char* problem = held.decode(launch, weight)) return problem;
  const Tensor inputs[] = {x, weight, others[0], others[1]};
  const double attributes[] = {1, launch.attributes[0]};
  return product({inputs, &y, attributes, nullptr, launch.context});
}

/** Rows first … first + count - 1 of a matrix as rows of `columns` elements; of an absent tensor nothing. */
static Tensor rowsOf(const Tensor& matrix, int64_t first, int64_t count, int64_t columns) {
  if (matrix.absent()) return matrix;
  return {matrix.data + first * columns * 4, matrix.type, 2, {count, columns}};
}

static const char* multiplyExperts(const Launch& launch, const Nf4Rows& held, const Tensor& offsets, const Tensor& c) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const int64_t experts = offsets.shape[0] - 1;
  if (!ascend(offsets, x.elements() / held.columns())) return kOffsetsUnordered;
  if (!held.canPart(experts)) return multiply(launch, held, expert_linear, x, {offsets, c}, y);
  for (int64_t e = 0; e < experts; e++) {
    const int64_t first = offsets.i32()[e], count = offsets.i32()[e + 1] - first;
    if (count == 0) continue;
    const Nf4Rows own = held.part(e, experts);
    const Tensor others[] = {rowsOf(c, first, count, own.rows()), {}};
    const char* problem =
        multiply(launch, own, linear, rowsOf(x, first, count, own.columns()), others, rowsOf(y, first, count, own.rows()));
    if (problem) return problem;
  }
  return nullptr;
}

const char* linear_nf4(const Launch& launch) {
  return multiply(launch, single(launch), linear, launch.inputs[0], {launch.inputs[3], {}}, launch.outputs[0]);
}

const char* linear_nf4_double(const Launch& launch) {
  return multiply(launch, twice(launch), linear, launch.inputs[0], {launch.inputs[6], {}}, launch.outputs[0]);
}

const char* expert_linear_nf4(const Launch& launch) { return multiplyExperts(launch, single(launch), launch.inputs[3], launch.inputs[4]); }

const char* expert_linear_nf4_double(const Launch& launch) {
  return multiplyExperts(launch, twice(launch), launch.inputs[6], launch.inputs[7]);
}

const char* expert_linear_nf4_double_backward_input(const Launch& launch) {
  return multiply(launch, twice(launch), expert_linear_backward_input, launch.inputs[0], {launch.inputs[6], launch.inputs[7]}, launch.outputs[0]);
}

}  // namespace anneal::ANNEAL_ISA
