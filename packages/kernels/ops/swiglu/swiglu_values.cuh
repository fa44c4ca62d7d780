#pragma once

#include "cuda/gates.cuh"

namespace anneal::cuda {

/** gate · sigmoid(argument): the argument is the gate itself for silu, 2√(2/π) · (gate + 0.044715 gate³) for gelu by its tanh formula. */
template <bool kGelu>
__device__ inline float argumentOf(float gate) {
  if constexpr (kGelu) return gate * fmaf(gate * gate, 0.0713548163f, 1.59576912f);
  return gate;
}

/** d argument / d gate, times `by`. */
template <bool kGelu>
__device__ inline float timesSlope(float gate, float by) {
  if constexpr (kGelu) return by * fmaf(gate * gate, 0.214064449f, 1.59576912f);
  return by;
}

/** up becomes activation(gate) · up. */
template <bool kGelu, int V>
__device__ void swigluOf(const float (&gate)[V], float (&up)[V]) {
#pragma unroll
  for (int j = 0; j < V; j++) up[j] *= gate[j] * sigmoid(argumentOf<kGelu>(gate[j]));
}

/** gate and up become their gradients. */
template <bool kGelu, int V>
__device__ void swigluSlopes(const float (&dy)[V], float (&gate)[V], float (&up)[V]) {
#pragma unroll
  for (int j = 0; j < V; j++) {
    const float z = gate[j], s = sigmoid(argumentOf<kGelu>(z));
    gate[j] = dy[j] * up[j] * s * fmaf(z, timesSlope<kGelu>(z, 1.0f - s), 1.0f);
    up[j] = dy[j] * z * s;
  }
}

}  // namespace anneal::cuda
