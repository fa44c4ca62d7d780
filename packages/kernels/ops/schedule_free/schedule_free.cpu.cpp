#include <cmath>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* schedule_free_mix(const Launch& launch) {
  double* state = launch.outputs[0].f64();
  const double rate = *launch.inputs[1].f32();
  const double largest = rate > state[1] ? rate : state[1];
  const double weight = largest * largest, sum = state[0] + weight;
  state[0] = sum;
  state[1] = largest;
  *launch.outputs[1].f32() = sum > 0 ? static_cast<float>(weight / sum) : 0.0f;
  return nullptr;
}

const char* schedule_free_adamw(const Launch& launch) {
  const float* gradient = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  float* z = launch.outputs[1].f32();
  float* x = launch.outputs[2].f32();
  float* v = launch.outputs[3].f32();
  const float mix = *launch.inputs[5].f32(), clip = *launch.inputs[6].f32(), rate = *launch.inputs[7].f32();
  const int32_t step = *launch.inputs[8].i32();
  const double beta1 = launch.attributes[0], beta2 = launch.attributes[1];
  const float epsilon = static_cast<float>(launch.attributes[2]), weightDecay = static_cast<float>(launch.attributes[3]);
  const float rootCorrection = static_cast<float>(std::sqrt(1.0 - std::pow(beta2, step)));
  const float b1 = static_cast<float>(beta1), c1 = static_cast<float>(1.0 - beta1);
  const float b2 = static_cast<float>(beta2), c2 = static_cast<float>(1.0 - beta2);
  parallelFor(*launch.context, launch.outputs[0].elements(), 8192, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) {
      const int count = lanesAt(i, end);
      const Vec g = Vec::load(gradient + i, count) * Vec::set(clip);
      const Vec square = Vec::set(b2) * Vec::load(v + i, count) + Vec::set(c2) * g * g;
      const Vec denominator = sqrt(square) / Vec::set(rootCorrection) + Vec::set(epsilon);
      const Vec move = g / denominator + Vec::set(weightDecay) * Vec::load(y + i, count);
      const Vec newest = Vec::load(z + i, count) - Vec::set(rate) * move;
      const Vec mean = Vec::set(1.0f - mix) * Vec::load(x + i, count) + Vec::set(mix) * newest;
      square.store(v + i, count);
      newest.store(z + i, count);
      mean.store(x + i, count);
      (Vec::set(c1) * newest + Vec::set(b1) * mean).store(y + i, count);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
