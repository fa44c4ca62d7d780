#include <cmath>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* adamw(const Launch& launch) {
  const float* gradient = launch.inputs[1].f32();
  float* parameter = launch.outputs[0].f32();
  float* m = launch.outputs[1].f32();
  float* v = launch.outputs[2].f32();
  const float clip = *launch.inputs[4].f32();
  const double rate = *launch.inputs[5].f32();
  const int32_t step = *launch.inputs[6].i32();
  const double beta1 = launch.attributes[0], beta2 = launch.attributes[1], weightDecay = launch.attributes[3];
  const float epsilon = static_cast<float>(launch.attributes[2]);
  const float decay = static_cast<float>(1.0 - rate * weightDecay);
  const float stepSize = static_cast<float>(rate / (1.0 - std::pow(beta1, step)));
  const float rootCorrection = static_cast<float>(std::sqrt(1.0 - std::pow(beta2, step)));
  const float b1 = static_cast<float>(beta1), b2 = static_cast<float>(beta2);
  const float c1 = static_cast<float>(1.0 - beta1), c2 = static_cast<float>(1.0 - beta2);
  parallelFor(*launch.context, launch.outputs[0].elements(), 8192, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = lanesAt(i, end);
      const Vec g = Vec::load(gradient + i, count) * Vec::set(clip);
      const Vec mean = Vec::set(b1) * Vec::load(m + i, count) + Vec::set(c1) * g;
      const Vec square = Vec::set(b2) * Vec::load(v + i, count) + Vec::set(c2) * g * g;
      mean.store(m + i, count);
      square.store(v + i, count);
      const Vec denominator = sqrt(square) / Vec::set(rootCorrection) + Vec::set(epsilon);
      (Vec::load(parameter + i, count) * Vec::set(decay) - Vec::set(stepSize) * (mean / denominator)).store(parameter + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
