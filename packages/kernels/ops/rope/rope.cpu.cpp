#include <cmath>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* rope_table(const Launch& launch) {
  const int32_t* positions = launch.inputs[0].i32();
  const float* inverse = launch.inputs[1].f32();
  float* cosines = launch.outputs[0].f32();
  float* sines = launch.outputs[1].f32();
  const int64_t P = launch.inputs[1].shape[0];
  const float scale = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[0].shape[0], 8, [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      for (int64_t p = 0; p < P; p++) {
        const float angle = static_cast<float>(positions[t]) * inverse[p];
        cosines[t * P + p] = ::cosf(angle) * scale;
        sines[t * P + p] = ::sinf(angle) * scale;
      }
    }
  });
  return nullptr;
}

const char* rope(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float* cosines = launch.inputs[1].f32();
  const float* sines = launch.inputs[2].f32();
  float* y = launch.outputs[0].f32();
  const int64_t D = launch.inputs[0].shape[1], P = launch.inputs[1].shape[1];
  const Vec direction = Vec::set(static_cast<float>(launch.attributes[0]));
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(D), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      for (int64_t head = 0; head < D; head += 2 * P) {
        const float* low = x + t * D + head;
        float* out = y + t * D + head;
        for (int64_t p = 0; p < P; p += Vec::width) {
          const int count = static_cast<int>(P - p < Vec::width ? P - p : Vec::width);
          const Vec a = Vec::load(low + p, count), b = Vec::load(low + P + p, count);
          const Vec c = Vec::load(cosines + t * P + p, count), s = Vec::load(sines + t * P + p, count) * direction;
          (a * c - b * s).store(out + p, count);
          (b * c + a * s).store(out + P + p, count);
        }
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
