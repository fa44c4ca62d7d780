#pragma once

namespace anneal::cuda {

/** The instruction's reciprocal is within 1 ulp; correctly rounded it would make these kernels slower than their memory. */
__device__ inline float sigmoid(float z) {
  float result;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(1.0f + expf(-z)));
  return result;
}

/** up becomes silu(gate) · up. */
template <int V>
__device__ void swigluOf(const float (&gate)[V], float (&up)[V]) {
#pragma unroll
  for (int j = 0; j < V; j++) up[j] *= gate[j] * sigmoid(gate[j]);
}

/** gate and up become their gradients. */
template <int V>
__device__ void swigluSlopes(const float (&dy)[V], float (&gate)[V], float (&up)[V]) {
#pragma unroll
  for (int j = 0; j < V; j++) {
    const float s = sigmoid(gate[j]), z = gate[j];
    gate[j] = dy[j] * up[j] * s * fmaf(z, 1.0f - s, 1.0f);
    up[j] = dy[j] * z * s;
  }
}

}  // namespace anneal::cuda
