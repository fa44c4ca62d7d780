#include <cstring>

#include "cpu/addend.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static const char* const kPlaceOutside = "a place lies outside of the assignments";

static bool areInside(const int32_t* places, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    if (places[i] < 0 || places[i] >= count) return false;
  }
  return true;
}

const char* expert_dispatch(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const int32_t* places = launch.inputs[1].i32();
  float* y = launch.outputs[0].f32();
  const int64_t T = launch.inputs[0].shape[0], D = launch.inputs[0].shape[1], C = launch.inputs[1].shape[1];
  if (!areInside(places, T * C)) return kPlaceOutside;
  parallelFor(*launch.context, T, grainFor((C + 1) * D), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin * C; i < end * C; i++) std::memcpy(y + places[i] * D, x + i / C * D, static_cast<size_t>(D) * sizeof *y);
  });
  return nullptr;
}

const char* expert_combine(const Launch& launch) {
  const float *x = launch.inputs[0].f32(), *gates = launch.inputs[2].f32();
  const int32_t* places = launch.inputs[1].i32();
  const Tensor out = launch.outputs[0];
  float* y = out.f32();
  const int64_t T = out.shape[0], D = out.shape[1], C = launch.inputs[1].shape[1];
  if (!areInside(places, T * C)) return kPlaceOutside;
  const bool accumulate = placeAddend(*launch.context, launch.inputs[3], out);
  parallelFor(*launch.context, T, grainFor((C + 2) * D), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      for (int64_t i = 0; i < D; i += Vec::width) {
        const int count = lanesAt(i, D);
        Vec sum = accumulate ? Vec::load(y + t * D + i, count) : Vec::zero();
        for (int64_t c = t * C; c < (t + 1) * C; c++) {
          sum = fma(Vec::set(gates ? gates[c] : 1.0f), Vec::load(x + places[c] * D + i, count), sum);
        }
        sum.store(y + t * D + i, count);
      }
    }
  });
  return nullptr;
}

const char* expert_combine_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32(), *gates = launch.inputs[3].f32();
  const int32_t* places = launch.inputs[2].i32();
  float *dx = launch.outputs[0].f32(), *dgates = launch.outputs[1].f32();
  const int64_t T = launch.inputs[0].shape[0], D = launch.inputs[0].shape[1], C = launch.inputs[2].shape[1];
  if (!areInside(places, T * C)) return kPlaceOutside;
  parallelFor(*launch.context, T, grainFor((2 * C + 1) * D), [=](int64_t begin, int64_t end) {
    for (int64_t a = begin * C; a < end * C; a++) {
      const float *from = dy + a / C * D, *with = x + places[a] * D;
      float* to = dx + places[a] * D;
      const Vec gate = Vec::set(gates[a]);
      Vec product = Vec::zero();
      for (int64_t i = 0; i < D; i += Vec::width) {
        const int count = lanesAt(i, D);
        const Vec d = Vec::load(from + i, count);
        product = fma(d, Vec::load(with + i, count), product);
        (gate * d).store(to + i, count);
      }
      dgates[a] = sum(product);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
