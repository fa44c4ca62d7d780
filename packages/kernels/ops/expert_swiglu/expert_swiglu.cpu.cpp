#include <math.h>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Of a vector of gates and ups: both within the limit, and σ(alpha · gate). */
struct Inner {
  Vec gate, up, sigma;
};

struct Activation {
  Vec alpha, limit, up_offset;

  explicit Activation(const double* attributes)
      : alpha(Vec::set(static_cast<float>(attributes[1]))), limit(Vec::set(attributes[2] > 0 ? static_cast<float>(attributes[2]) : INFINITY)),
        up_offset(Vec::set(static_cast<float>(attributes[3]))) {}

  Inner of(Vec gate, Vec up) const {
    const Vec limited = min(limit, gate);
    return {limited, max(-limit, min(limit, up)) + up_offset, sigmoid(alpha * limited)};
  }
};

}  // namespace

const char* expert_swiglu(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  const Activation activation(launch.attributes);
  parallelFor(*launch.context, launch.outputs[0].elements() / width, grainFor(3 * width), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float *gate = x + 2 * row * width, *up = gate + width;
      for (int64_t i = 0; i < width; i += Vec::width) {
        const int count = lanesAt(i, width);
        const Inner inner = activation.of(Vec::load(gate + i, count), Vec::load(up + i, count));
        (inner.gate * inner.sigma * inner.up).store(y + row * width + i, count);
      }
    }
  });
  return nullptr;
}

const char* expert_swiglu_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32();
  float* dx = launch.outputs[0].f32();
  const int64_t width = static_cast<int64_t>(launch.attributes[0]);
  const Activation activation(launch.attributes);
  parallelFor(*launch.context, launch.inputs[0].elements() / width, grainFor(5 * width), [=](int64_t begin, int64_t end) {
    const Vec one = Vec::set(1.0f);
    for (int64_t row = begin; row < end; row++) {
      const int64_t gate = 2 * row * width, up = gate + width;
      for (int64_t i = 0; i < width; i += Vec::width) {
        const int count = lanesAt(i, width);
        const Vec g = Vec::load(x + gate + i, count), u = Vec::load(x + up + i, count), d = Vec::load(dy + row * width + i, count);
        const Inner inner = activation.of(g, u);
        const Vec slope = inner.sigma * fma(activation.alpha * inner.gate, one - inner.sigma, one);
        zeroAbove(d * inner.up * slope, g, activation.limit).store(dx + gate + i, count);
        zeroAbove(d * inner.gate * inner.sigma, abs(u), activation.limit).store(dx + up + i, count);
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
