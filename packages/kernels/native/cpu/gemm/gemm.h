#pragma once

#include <cstdint>

#include "../../context.h"
#include "../../dtype.h"

namespace anneal::ANNEAL_ISA {

/** A row-major matrix of float32 or bf16; `stride` counts elements between the rows as stored, `transposed` says op(X) = Xᵀ. */
struct Matrix {
  const void* data;
  DType type;
  int64_t stride;
  bool transposed;
};

/**
 * C[M,N] = alpha · op(A)[M,K] · op(B)[K,N], plus C itself when `accumulate`. C is float32 with `ldc` elements between rows and
 * overlaps neither operand.
 *
 * compute = f32: operands are widened exactly. compute = bf16: both are rounded to bf16, to nearest even, and their products
 * are summed in float32 (with AVX-512-BF16 and AMX by their instructions, which take denormals as zero).
 * The order of summation depends on the sizes and the instruction set only: never on the number of threads.
 */
void gemm(Context& context, int64_t m, int64_t n, int64_t k, float alpha, const Matrix& a, const Matrix& b, float* c,
          int64_t ldc, bool accumulate, DType compute);

}  // namespace anneal::ANNEAL_ISA
