#include "cuda/carried_states.cuh"
#include "cuda/column_sums.cuh"
#include "four_taps.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct ShortConv {
  Conv<A> conv;
  A* y;

  template <int V>
  __device__ void run(int64_t token, int channel) const {
    float z[V];
    conv.template convolved<V>(token, conv.boundsOf(token).begin, channel, z);
    conv.template output<V>(token, channel, z);
    store<V>(y + token * conv.channels + channel, z);
  }
};

template <typename A>
struct BackwardInput {
  Conv<A> conv;
  const A* dy;
  A* dx;

  template <int V>
  __device__ void run(int64_t token, int channel) const {
    const Bounds bounds = conv.boundsOf(token);
    float du[V] = {}, own[V];
    for (int k = 0; k < conv.taps; k++) {
      const int64_t to = token + conv.taps - 1 - k;
      if (to >= bounds.end) continue;
      float z[V], slope[V];
      load<V>(dy + to * conv.channels + channel, slope);
      if (!conv.gated || to == token) conv.template convolved<V>(to, bounds.begin, channel, z);
#pragma unroll
      for (int j = 0; j < V; j++) own[j] = to == token ? slope[j] * z[j] : 0;  // dc, where it is gated
      conv.template slope<V>(to, channel, z, slope);
#pragma unroll
      for (int j = 0; j < V; j++) du[j] = fmaf(conv.weight[(channel + j) * conv.taps + k], slope[j], du[j]);
    }
    A* to = dx + token * conv.channels * (conv.gated ? 3 : 1) + channel;
    if (!conv.gated) {
      store<V>(to, du);
      return;
    }
    float b[V], v[V];
    conv.template part<V>(token, channel, 0, b);
    conv.template part<V>(token, channel, 2, v);
#pragma unroll
    for (int j = 0; j < V; j++) v[j] *= du[j], b[j] *= du[j];
    store<V>(to, v);
    store<V>(to + conv.channels, own);
    store<V>(to + 2 * conv.channels, b);
  }
};

constexpr int kMostTaps = 16;
constexpr const char* kTooManyTaps = "a convolution of too many tokens";

/**
 * Block (x, y): what part y of the tokens gives the taps, or the biases, of 32 channels; [parts, channels, taps or 1]. Each of eight threads a
 * channel goes through an eighth of the part.
 */
template <bool kOfBias, typename A>
__global__ void __launch_bounds__(kElementThreads, 2) weightPartsKernel(Conv<A> conv, const A* dy, int64_t tokens_each, float* parts) {
  constexpr int kLines = kElementThreads / kWarp, kSums = kOfBias ? 1 : kMostTaps;
  __shared__ float shared[kLines][kSums][kWarp];
  const int lane = static_cast<int>(threadIdx.x) % kWarp, line = static_cast<int>(threadIdx.x) / kWarp;
  const int channel = static_cast<int>(blockIdx.x) * kWarp + lane;
  const int64_t own = (tokens_each + kLines - 1) / kLines, end = min((int64_t{blockIdx.y} + 1) * tokens_each, conv.tokens);
  const int64_t first = blockIdx.y * tokens_each + line * own, last = channel < conv.channels ? min(first + own, end) : first;
  float sums[kSums] = {};
  Bounds document{0, 0};
  for (int64_t token = first; token < last; token++) {
    if (token >= document.end) document = conv.boundsOf(token);
    float z[1], slope[1];
    conv.template convolved<1>(token, document.begin, channel, z);
    load<1>(dy + token * conv.channels + channel, slope);
    conv.template slope<1>(token, channel, z, slope);
    if constexpr (kOfBias) {
      sums[0] += slope[0];
    } else {
#pragma unroll
      for (int k = 0; k < kMostTaps; k++) {
        const int64_t from = token - conv.taps + 1 + k;
        if (k >= conv.taps || from < document.begin) continue;
        float u[1];
        conv.template input<1>(from, channel, u);
        sums[k] = fmaf(slope[0], u[0], sums[k]);
      }
    }
  }
#pragma unroll
  for (int k = 0; k < kSums; k++) shared[line][k][lane] = sums[k];
  __syncthreads();
  if (channel >= conv.channels) return;
  const int taps = kOfBias ? 1 : conv.taps;
  for (int k = line; k < taps; k += kLines) {
    float sum = 0;
    for (int other = 0; other < kLines; other++) sum += shared[other][k][lane];
    parts[(blockIdx.y * conv.channels + channel) * taps + k] = sum;
  }
}

/** The outputs of tokens that go on with a state, each by itself. */
template <typename A>
struct CachedOutputs {
  Conv<A> conv;
  A* y;
  const float* states;
  CarriedStates carried;

  template <int V>
  __device__ void run(int64_t token, int channel) const {
    const CarriedSequence sequence = carried.at(carried.sequenceOf(token));
    if (token < sequence.begin || token >= sequence.end) return;
    float z[V];
#pragma unroll
    for (int j = 0; j < V; j++) z[j] = conv.biasOf(channel + j);
#pragma unroll 1
    for (int k = 0; k < conv.taps; k++) {
      const int64_t from = token - conv.taps + 1 + k;
      float u[V] = {};
      if (from >= sequence.begin)
        conv.template input<V>(from, channel, u);
      else if (!sequence.begins)
        load<V>(states + ((int64_t{sequence.slot} + 1) * (conv.taps - 1) + from - sequence.begin) * conv.channels + channel, u);
#pragma unroll
      for (int j = 0; j < V; j++) z[j] = fmaf(conv.weight[(channel + j) * conv.taps + k], u[j], z[j]);
    }
    conv.template output<V>(token, channel, z);
    store<V>(y + token * conv.channels + channel, z);
  }
};

/** A thread goes through the tokens of one channel of a sequence, for a state holds what came before them. */
template <typename A>
struct Cached {
  Conv<A> conv;
  A* y;  // null: only the last tokens, for the states
  float* states;
  CarriedStates carried;

  template <int V>
  __device__ void run(int64_t row, int) const {
    static_assert(V == 1);
    const int channel = static_cast<int>(row % conv.channels), unused = kMostTaps - conv.taps;
    const CarriedSequence sequence = carried.at(static_cast<int>(row / conv.channels));
    float* state = states + int64_t{sequence.slot} * (conv.taps - 1) * conv.channels + channel;
    float window[kMostTaps];  // the newest at the end
#pragma unroll
    for (int k = 0; k < kMostTaps; k++)
      window[k] = k <= unused || sequence.begins ? 0 : state[(k - unused - 1) * conv.channels];
    const int64_t first = y ? sequence.begin : max(sequence.begin, sequence.end - conv.taps + 1);
    for (int64_t token = first; token < sequence.end; token++) {
      float u[1], z[1] = {conv.biasOf(channel)};
      conv.template input<1>(token, channel, u);
#pragma unroll
      for (int k = 0; k + 1 < kMostTaps; k++) window[k] = window[k + 1];
      window[kMostTaps - 1] = u[0];
      if (!y) continue;
#pragma unroll
      for (int k = 0; k < kMostTaps; k++)
        if (k >= unused) z[0] = fmaf(conv.weight[channel * conv.taps + k - unused], window[k], z[0]);
      conv.template output<1>(token, channel, z);
      y[token * conv.channels + channel] = fromFloat<A>(z[0]);
    }
    for (int slot = 0; slot < sequence.slots; slot++, state += (conv.taps - 1) * conv.channels)
#pragma unroll
      for (int k = 0; k < kMostTaps; k++)
        if (k > unused) state[(k - unused - 1) * conv.channels] = window[k];
  }
};

}  // namespace

const char* short_conv(const Launch& launch) {
  return withType(launch.inputs[0].type, [&](auto zero) {
    using A = decltype(zero);
    const Conv<A> conv = convOf<A>(launch, launch.inputs);
    if (isFourTaps(conv))
      return overRows<A>(launch, ceilDivide(conv.tokens, kRun), conv.channels, FourTaps<A>{conv, dataOf<A>(launch.outputs[0])});
    overRows<A>(launch, conv.tokens, conv.channels, ShortConv<A>{conv, dataOf<A>(launch.outputs[0])});
  });
}

const char* short_conv_backward_input(const Launch& launch) {
  return withType(launch.inputs[1].type, [&](auto zero) {
    using A = decltype(zero);
    const Conv<A> conv = convOf<A>(launch, launch.inputs + 1);
    const A* dy = dataOf<A>(launch.inputs[0]);
    A* dx = dataOf<A>(launch.outputs[0]);
    if (isFourTaps(conv)) return overRows<A>(launch, ceilDivide(conv.tokens, kRun), conv.channels, FourTapsBackward<A>{conv, dy, dx});
    overRows<A>(launch, conv.tokens, conv.channels, BackwardInput<A>{conv, dy, dx});
  });
}

/** Workspace: that of columnSums of T rows, D · K columns, or D. */
template <bool kOfBias>
static const char* addWeightGradient(const Launch& launch) {
  if (launch.inputs[2].shape[2] > kMostTaps) return kTooManyTaps;
  return withType(launch.inputs[1].type, [&](auto zero) {
    using A = decltype(zero);
    const Conv<A> conv = convOf<A>(launch, launch.inputs + 1);
    if (conv.tokens == 0) return;
    const cudaStream_t stream = contextOf(launch).stream;
    float* parts = reinterpret_cast<float*>(launch.workspace);
    const int columns = static_cast<int>(conv.channels) * (kOfBias ? 1 : conv.taps);
    const int64_t tokensEach = ceilDivide(conv.tokens, partialsFor(conv.tokens)), count = ceilDivide(conv.tokens, tokensEach);
    const dim3 grid(static_cast<unsigned>(ceilDivide(conv.channels, kWarp)), static_cast<unsigned>(count));
    weightPartsKernel<kOfBias, A><<<grid, kElementThreads, 0, stream>>>(conv, dataOf<A>(launch.inputs[0]), tokensEach, parts);
    addPartialsKernel<<<static_cast<unsigned>(ceilDivide(columns, kWarp)), 256, 0, stream>>>(parts, static_cast<int>(count), columns,
                                                                                             launch.outputs[0].f32());
  });
}

const char* short_conv_backward_weight(const Launch& launch) { return addWeightGradient<false>(launch); }
const char* short_conv_backward_bias(const Launch& launch) { return addWeightGradient<true>(launch); }

const char* short_conv_cached(const Launch& launch) {
  const Tensor x = launch.inputs[0], weight = launch.inputs[1];
  if (weight.shape[2] > kMostTaps) return kTooManyTaps;
  if (x.shape[0] == 0) return nullptr;
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Conv<A> conv{dataOf<A>(x), weight.f32(),    launch.inputs[5].f32(),           {},
                       x.shape[0],   weight.shape[0], static_cast<int>(weight.shape[2]), launch.attributes[0] != 0};
    const Tensor states = launch.outputs[1];
    const CarriedStates carried = carriedStates(launch, launch.inputs[3], launch.inputs[4], states, conv.taps - 1);
    A* y = dataOf<A>(launch.outputs[0]);
    // Of prompts all tokens at once, and then the states, which they begin with.
    if (conv.tokens > carried.sequences) {
      overRows<A>(launch, conv.tokens, conv.channels, CachedOutputs<A>{conv, y, states.f32(), carried});
      y = nullptr;
    }
    overSingles(launch, carried.sequences * conv.channels, 1, Cached<A>{conv, y, states.f32(), carried});
  });
}

}  // namespace anneal::cuda
