#pragma once

#include <cuda_runtime.h>

namespace anneal::cuda {

/** The instruction's reciprocal is within 1 ulp; correctly rounded it would make kernels of gates slower than their memory. */
__device__ inline float sigmoid(float z) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(1.0f + expf(-z)));
  return result;
}

__device__ inline float softplus(float x) { return fmaxf(x, 0) + log1pf(expf(-fabsf(x))); }

}  // namespace anneal::cuda
