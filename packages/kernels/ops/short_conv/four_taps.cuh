#pragma once

#include "conv.cuh"

namespace anneal::cuda {
namespace {

constexpr int kRun = 16;  // tokens that a thread goes through

/** The usual convolution: what a thread has read of the last tokens serves for the next. */
template <typename A>
bool isFourTaps(const Conv<A>& conv) {
  return conv.taps == 4 && !conv.gated;
}

/** Of V channels: the inputs of a token, which is the last, and of the three before it; 0 before its document. */
template <int V>
struct TapWindow {
  float taps[4][V], bias[V], inputs[4][V];
  Bounds document;

  template <typename A>
  __device__ __forceinline__ TapWindow(const Conv<A>& conv, int64_t first, int channel) : inputs{}, document(conv.boundsOf(first)) {
#pragma unroll
    for (int j = 0; j < V; j++) {
      float own[4];
      load<4>(conv.weight + (channel + j) * 4, own);
#pragma unroll
      for (int k = 0; k < 4; k++) taps[k][j] = own[k];
      bias[j] = conv.biasOf(channel + j);
    }
#pragma unroll
    for (int k = 1; k < 4; k++)
      if (first - 4 + k >= document.begin) conv.template input<V>(first - 4 + k, channel, inputs[k]);
  }

  /** Goes on to `token`, and gives its z. */
  template <typename A>
  __device__ __forceinline__ void next(const Conv<A>& conv, int64_t token, int channel, float (&z)[V]) {
    if (token >= document.end) {
      document = conv.boundsOf(token);
#pragma unroll
      for (auto& input : inputs)
#pragma unroll
        for (float& value : input) value = 0;
    }
#pragma unroll
    for (int k = 0; k < 3; k++)
#pragma unroll
      for (int j = 0; j < V; j++) inputs[k][j] = inputs[k + 1][j];
    conv.template input<V>(token, channel, inputs[3]);
#pragma unroll
    for (int j = 0; j < V; j++) {
      z[j] = bias[j];
#pragma unroll
      for (int k = 0; k < 4; k++) z[j] = fmaf(taps[k][j], inputs[k][j], z[j]);
    }
  }
};

/** Run `run` of the tokens. */
template <typename A>
struct FourTaps {
  Conv<A> conv;
  A* y;

  template <int V>
  __device__ void run(int64_t run, int channel) const {
    const int64_t first = run * kRun, last = min(first + kRun, conv.tokens);
    TapWindow<V> window(conv, first, channel);
#pragma unroll 2
    for (int64_t token = first; token < last; token++) {
      float z[V];
      window.next(conv, token, channel, z);
      conv.template output<V>(token, channel, z);
      store<V>(y + token * conv.channels + channel, z);
    }
  }
};

template <typename A>
struct FourTapsBackward {
  Conv<A> conv;
  const A* dy;
  A* dx;

  template <int V>
  __device__ void run(int64_t run, int channel) const {
    const int64_t first = run * kRun, last = min(first + kRun, conv.tokens);
    TapWindow<V> window(conv, first, channel);
    float sums[4][V] = {};  // dx of the tokens of the window
#pragma unroll 2
    for (int64_t token = first; token < last + 3; token++) {
#pragma unroll
      for (int k = 0; k < 4; k++)
#pragma unroll
        for (int j = 0; j < V; j++) sums[k][j] = k < 3 ? sums[k + 1][j] : 0;
      if (token < conv.tokens) {
        float z[V], slope[V];
        window.next(conv, token, channel, z);
        load<V>(dy + token * conv.channels + channel, slope);
        conv.template slope<V>(token, channel, z, slope);
#pragma unroll
        for (int k = 0; k < 4; k++)
          if (token - 3 + k >= window.document.begin)
#pragma unroll
            for (int j = 0; j < V; j++) sums[k][j] = fmaf(window.taps[k][j], slope[j], sums[k][j]);
      }
      if (token >= first + 3) store<V>(dx + (token - 3) * conv.channels + channel, sums[0]);
    }
  }
};

}  // namespace
}  // namespace anneal::cuda
