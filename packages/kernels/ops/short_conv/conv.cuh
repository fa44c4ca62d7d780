#pragma once

#include "cuda/elements.cuh"
#include "cuda/windows.cuh"

namespace anneal::cuda {
namespace {

/** Where the document of a token lies. */
struct Bounds {
  int begin, end;
};

/** What every kernel reads: x is [b c v] where it is gated. */
template <typename A>
struct Conv {
  const A* x;
  const float *weight, *bias;  // [channels, taps]; [channels] or null
  Packed packed;
  int64_t tokens, channels;
  int taps;
  bool gated;

  __device__ __forceinline__ Bounds boundsOf(int64_t token) const {
    const int document = packed.at(token);
    return {static_cast<int>(packed.begin(document)), static_cast<int>(packed.end(document))};
  }

  template <int V>
  __device__ __forceinline__ void part(int64_t token, int channel, int which, float (&values)[V]) const {
    load<V>(x + (token * (gated ? 3 : 1) + which) * channels + channel, values);
  }

  /** What is convolved. */
  template <int V>
  __device__ __forceinline__ void input(int64_t token, int channel, float (&values)[V]) const {
    part<V>(token, channel, 0, values);
    if (!gated) return;
    float v[V];
    part<V>(token, channel, 2, v);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= v[j];
  }

  __device__ __forceinline__ float biasOf(int channel) const { return bias ? bias[channel] : 0; }

  /** z of a token whose document begins at `begin`. */
  template <int V>
  __device__ __forceinline__ void convolved(int64_t token, int64_t begin, int channel, float (&z)[V]) const {
#pragma unroll
    for (int j = 0; j < V; j++) z[j] = biasOf(channel + j);
    for (int k = 0; k < taps; k++) {
      const int64_t from = token - taps + 1 + k;
      if (from < begin) continue;
      float u[V];
      input<V>(from, channel, u);
#pragma unroll
      for (int j = 0; j < V; j++) z[j] = fmaf(weight[(channel + j) * taps + k], u[j], z[j]);
    }
  }

  /** y of z. */
  template <int V>
  __device__ __forceinline__ void output(int64_t token, int channel, float (&z)[V]) const {
    float c[V];
    if (gated) part<V>(token, channel, 1, c);
#pragma unroll
    for (int j = 0; j < V; j++) z[j] *= gated ? c[j] : sigmoid(z[j]);
  }

  /** dz of dy; z is used up. */
  template <int V>
  __device__ __forceinline__ void slope(int64_t token, int channel, const float (&z)[V], float (&dy)[V]) const {
    float c[V];
    if (gated) part<V>(token, channel, 1, c);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float s = gated ? 0 : sigmoid(z[j]);
      dy[j] *= gated ? c[j] : s * fmaf(z[j], 1.0f - s, 1.0f);
    }
  }
};

/** @param inputs x, weight, cuSeqlens, bias */
template <typename A>
Conv<A> convOf(const Launch& launch, const Tensor* inputs) {
  const Tensor x = inputs[0], weight = inputs[1];
  const int64_t tokens = x.shape[0];
  return {dataOf<A>(x), weight.f32(),    inputs[3].f32(),                     packedOf(inputs[2], tokens),
          tokens,       weight.shape[0], static_cast<int>(weight.shape[2]), launch.attributes[0] != 0};
}

}  // namespace
}  // namespace anneal::cuda
