#pragma once

#include "mma.cuh"
#include "shape.h"

namespace anneal::cuda {

/** Scores become cap · tanh(scale · score / cap), as tensor cores' kernels compute it: within 1e-6 of the cap. */
struct SoftCap {
  float exponent, cap;

  __device__ explicit SoftCap(const AttentionShape& s) : exponent(2 * kLog2E * s.scale / s.soft_cap), cap(s.soft_cap) {}

  /** What the cap is multiplied with; 1 - its square is the slope. */
  __device__ float part(float score) const { return 1.f - __fdividef(2.f, 1.f + exp2Fast(score * exponent)); }
};

}  // namespace anneal::cuda
