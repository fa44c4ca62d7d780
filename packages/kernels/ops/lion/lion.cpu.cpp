#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** -1, 0 or 1, and NaN of NaN. Below 3e-39, which is no normal number, it is in between. */
static inline Vec signOf(Vec x) { return max(Vec::set(-1.0f), min(Vec::set(1.0f), x * Vec::set(3e38f))); }

const char* lion(const Launch& launch) {
  const float* gradient = launch.inputs[1].f32();
  float* parameter = launch.outputs[0].f32();
  float* m = launch.outputs[1].f32();
  const float clip = *launch.inputs[3].f32();
  const double rate = *launch.inputs[4].f32();
  const double beta1 = launch.attributes[0], beta2 = launch.attributes[1], weightDecay = launch.attributes[2];
  const float decay = static_cast<float>(1.0 - rate * weightDecay), stepSize = static_cast<float>(rate);
  const float b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2);
  const float c1 = static_cast<float>(1.0 - beta1), c2 = static_cast<float>(1.0 - beta2);
  parallelFor(*launch.context, launch.outputs[0].elements(), 8192, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = lanesAt(i, end);
      const Vec g = Vec::load(gradient + i, count) * Vec::set(clip);
      const Vec momentum = Vec::load(m + i, count);
      const Vec direction = signOf(Vec::set(b1) * momentum + Vec::set(c1) * g);
      (Vec::set(b2) * momentum + Vec::set(c2) * g).store(m + i, count);
      (Vec::load(parameter + i, count) * Vec::set(decay) - Vec::set(stepSize) * direction).store(parameter + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
