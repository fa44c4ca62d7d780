#include "cpu/carried_states.h"
#include "cpu/documents.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

constexpr int kMaxTaps = 16;

/** A vector of channels of all rows: what is convolved there, and by what. */
struct Channels {
  const float* x;
  int64_t columns, channels;  // of a row of x, and of y
  int taps, lanes;            // lanes are fewer than a vector at the end of a row
  bool gated;
  Vec weight[kMaxTaps], bias;

  Channels(const Tensor& x, const Tensor& weight, const Tensor& bias, bool gated, int64_t first)
      : x(x.f32() + first), columns(x.shape[1]), channels(weight.shape[0]), taps(static_cast<int>(weight.shape[2])),
        lanes(lanesAt(first, channels)), gated(gated),
        bias(bias.absent() ? Vec::zero() : Vec::load(bias.f32() + first, lanes)) {
    for (int k = 0; k < taps; k++) {
      float tap[Vec::width] = {};
      for (int i = 0; i < lanes; i++) tap[i] = weight.f32()[(first + i) * taps + k];
      this->weight[k] = Vec::load(tap);
    }
  }

  /** Of [b c v] where it is gated. */
  Vec part(int64_t t, int which) const { return Vec::load(x + t * columns + which * channels, lanes); }
  Vec input(int64_t t) const { return gated ? part(t, 0) * part(t, 2) : part(t, 0); }
  Vec output(int64_t t, Vec z) const { return gated ? part(t, 1) * z : z * sigmoid(z); }
  /** dz from dy. */
  Vec slope(int64_t t, Vec z, Vec dy) const {
    if (gated) return dy * part(t, 1);
    const Vec one = Vec::set(1.0f), s = sigmoid(z);
    return dy * s * fma(z, one - s, one);
  }
};

/** The last `taps` values, the newest at the end. */
struct Window {
  int taps;
  Vec values[kMaxTaps];

  explicit Window(int taps) : taps(taps) {
    for (int k = 0; k < taps; k++) values[k] = Vec::zero();
  }
  void push(Vec value) {
    for (int k = 1; k < taps; k++) values[k - 1] = values[k];
    values[taps - 1] = value;
  }
  /** bias + Σ_k weight[k] · values[k]. */
  Vec convolved(const Channels& channels) const {
    Vec sum = channels.bias;
    for (int k = 0; k < taps; k++) sum = fma(channels.weight[k], values[k], sum);
    return sum;
  }
  /** The transposed product: Σ_k weight[k] · values[taps - 1 - k]. */
  Vec correlated(const Vec* weight) const {
    Vec sum = Vec::zero();
    for (int k = 0; k < taps; k++) sum = fma(weight[k], values[taps - 1 - k], sum);
    return sum;
  }
};

/** What is convolved, and by what. */
struct Convolution {
  Context& context;
  Tensor x, weight, bias;
  bool gated;

  Convolution(const Launch& launch, const Tensor& x, const Tensor& weight, const Tensor& bias)
      : context(*launch.context), x(x), weight(weight), bias(bias), gated(launch.attributes[0] != 0) {}

  const char* check() const {
    return weight.shape[2] < 2 || weight.shape[2] > kMaxTaps ? "a convolution of too few or too many tokens" : nullptr;
  }

  /** Calls body(channels, the first) for each vector of channels: each goes through the tokens in their order. */
  template <class Body>
  void forChannels(const Body& body) const {
    const int64_t vectors = (weight.shape[0] + Vec::width - 1) / Vec::width;
    parallelFor(context, vectors, grainFor(x.shape[0] * weight.shape[2] * Vec::width), [&](int64_t begin, int64_t end) {
      for (int64_t first = begin * Vec::width; first < end * Vec::width; first += Vec::width)
        body(Channels(x, weight, bias, gated, first), first);
    });
  }
};

/** Of packed documents. */
struct PackedConvolution : Convolution {
  Documents documents;

  /** @param inputs x, weight, cuSeqlens, bias */
  PackedConvolution(const Launch& launch, const Tensor* inputs)
      : Convolution(launch, inputs[0], inputs[1], inputs[3]), documents(inputs[2]) {}

  const char* check() const {
    const char* problem = documents.check(x.shape[0]);
    return problem ? problem : Convolution::check();
  }

  /** Calls body(token, the inputs up to it). */
  template <class Body>
  void forTokens(const Channels& channels, const Body& body) const {
    for (int64_t d = 0; d < documents.count; d++) {
      Window inputs(channels.taps);
      for (int64_t t = documents.ends[d]; t < documents.ends[d + 1]; t++) {
        inputs.push(channels.input(t));
        body(t, inputs);
      }
    }
  }

  /** Calls body(dz of a token, the inputs up to it). @param dy of the first of the channels */
  template <class Body>
  void forSlopes(const Channels& channels, const float* dy, const Body& body) const {
    forTokens(channels, [&](int64_t t, const Window& inputs) {
      const Vec dyt = Vec::load(dy + t * channels.channels, channels.lanes);
      body(channels.slope(t, inputs.convolved(channels), dyt), inputs);
    });
  }
};

}  // namespace

const char* short_conv(const Launch& launch) {
  const PackedConvolution conv(launch, launch.inputs);
  if (const char* problem = conv.check()) return problem;
  float* y = launch.outputs[0].f32();
  conv.forChannels([&](const Channels& channels, int64_t first) {
    conv.forTokens(channels, [&](int64_t t, const Window& inputs) {
      channels.output(t, inputs.convolved(channels)).store(y + t * channels.channels + first, channels.lanes);
    });
  });
  return nullptr;
}

const char* short_conv_backward_input(const Launch& launch) {
  const PackedConvolution conv(launch, launch.inputs + 1);
  if (const char* problem = conv.check()) return problem;
  const float* dy = launch.inputs[0].f32();
  float* dx = launch.outputs[0].f32();
  conv.forChannels([&](const Channels& channels, int64_t first) {
    const int lanes = channels.lanes, before = channels.taps - 1;
    for (int64_t d = 0; d < conv.documents.count; d++) {
      const int64_t start = conv.documents.ends[d], end = conv.documents.ends[d + 1];
      Window inputs(channels.taps), slopes(channels.taps);
      for (int64_t t = start; t < end + before; t++) {  // a token's slope is whole when the last that it reaches is known
        if (t < end) {
          const Vec dyt = Vec::load(dy + t * channels.channels + first, lanes);
          inputs.push(channels.input(t));
          const Vec z = inputs.convolved(channels);
          slopes.push(channels.slope(t, z, dyt));
          if (conv.gated) (dyt * z).store(dx + t * channels.columns + channels.channels + first, lanes);
        } else {
          slopes.push(Vec::zero());
        }
        const int64_t at = t - before;
        if (at < start) continue;
        const Vec du = slopes.correlated(channels.weight);
        float* to = dx + at * channels.columns + first;
        (conv.gated ? du * channels.part(at, 2) : du).store(to, lanes);
        if (conv.gated) (du * channels.part(at, 0)).store(to + 2 * channels.channels, lanes);
      }
    }
  });
  return nullptr;
}

const char* short_conv_backward_weight(const Launch& launch) {
  const PackedConvolution conv(launch, launch.inputs + 1);
  if (const char* problem = conv.check()) return problem;
  const float* dy = launch.inputs[0].f32();
  float* gradient = launch.outputs[0].f32();
  conv.forChannels([&](const Channels& channels, int64_t first) {
    Vec sums[kMaxTaps];
    for (int k = 0; k < channels.taps; k++) sums[k] = Vec::zero();
    conv.forSlopes(channels, dy + first, [&](Vec slope, const Window& inputs) {
      for (int k = 0; k < channels.taps; k++) sums[k] = fma(slope, inputs.values[k], sums[k]);
    });
    for (int k = 0; k < channels.taps; k++) {
      float sum[Vec::width];
      sums[k].store(sum);
      for (int i = 0; i < channels.lanes; i++) gradient[(first + i) * channels.taps + k] += sum[i];
    }
  });
  return nullptr;
}

const char* short_conv_backward_bias(const Launch& launch) {
  const PackedConvolution conv(launch, launch.inputs + 1);
  if (const char* problem = conv.check()) return problem;
  const float* dy = launch.inputs[0].f32();
  float* gradient = launch.outputs[0].f32();
  conv.forChannels([&](const Channels& channels, int64_t first) {
    Vec sum = Vec::zero();
    conv.forSlopes(channels, dy + first, [&](Vec slope, const Window&) { sum += slope; });
    (Vec::load(gradient + first, channels.lanes) + sum).store(gradient + first, channels.lanes);
  });
  return nullptr;
}

const char* short_conv_cached(const Launch& launch) {
  const Convolution conv(launch, launch.inputs[0], launch.inputs[1], launch.inputs[5]);
  if (const char* problem = conv.check()) return problem;
  const int64_t kept = conv.weight.shape[2] - 1;
  const CarriedStates carried(launch.inputs[3], launch.inputs[4], launch.outputs[1].shape[0] / kept);
  if (const char* problem = carried.check()) return problem;
  float *y = launch.outputs[0].f32(), *states = launch.outputs[1].f32();
  conv.forChannels([&](const Channels& channels, int64_t first) {
    for (int64_t i = 0; i < carried.count(); i++) {
      const CarriedSequence sequence = carried.at(i);
      float* state = states + sequence.slot * kept * channels.channels + first;
      Window inputs(channels.taps);
      for (int64_t k = 0; k < kept && !sequence.begins; k++) inputs.push(Vec::load(state + k * channels.channels, channels.lanes));
      for (int64_t t = sequence.first; t < sequence.end; t++) {
        inputs.push(channels.input(t));
        channels.output(t, inputs.convolved(channels)).store(y + t * channels.channels + first, channels.lanes);
      }
      for (int64_t row = 0; row < kept * sequence.slots; row++)
        inputs.values[1 + row % kept].store(state + row * channels.channels, channels.lanes);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
