#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** Σ a·b over `count` values in a fixed order. */
static inline float dot(const float* a, const float* b, int64_t count) {
  Vec sums = Vec::zero();
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) sums = fma(Vec::load(a + i), Vec::load(b + i), sums);
  if (i < count) sums = fma(Vec::load(a + i, count - i), Vec::load(b + i, count - i), sums);
  return sum(sums);
}

const char* rms_norm(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float* weight = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  float* rstd = launch.outputs[1].f32();
  const int64_t C = launch.inputs[1].shape[0];
  const float eps = static_cast<float>(launch.attributes[0]), offset = static_cast<float>(launch.attributes[1]);
  parallelFor(*launch.context, launch.inputs[0].elements() / C, grainFor(C), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float* xr = x + row * C;
      float* yr = y + row * C;
      const float r = 1.0f / std::sqrt(dot(xr, xr, C) / static_cast<float>(C) + eps);
      rstd[row] = r;
      const Vec scale = Vec::set(r), more = Vec::set(offset);
      int64_t i = 0;
      for (; i + Vec::width <= C; i += Vec::width) (Vec::load(xr + i) * scale * (Vec::load(weight + i) + more)).store(yr + i);
      for (; i < C; i++) yr[i] = xr[i] * r * (weight[i] + offset);
    }
  });
  return nullptr;
}

const char* rms_norm_backward_input(const Launch& launch) {
  const float* dy = launch.inputs[0].f32();
  const float* x = launch.inputs[1].f32();
  const float* weight = launch.inputs[2].f32();
  const float* rstd = launch.inputs[3].f32();
  const float* c = launch.inputs[4].f32();
  float* dx = launch.outputs[0].f32();
  const int64_t C = launch.inputs[2].shape[0];
  const float offset = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[0].elements() / C, grainFor(C), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const float* dyr = dy + row * C;
      const float* xr = x + row * C;
      const float* cr = c ? c + row * C : nullptr;
      float* dxr = dx + row * C;
      const Vec more = Vec::set(offset);
      Vec sums = Vec::zero();
      int64_t i = 0;
      for (; i + Vec::width <= C; i += Vec::width)
        sums = fma(Vec::load(dyr + i) * (Vec::load(weight + i) + more), Vec::load(xr + i), sums);
      float product = sum(sums);
      for (; i < C; i++) product += dyr[i] * (weight[i] + offset) * xr[i];
      const float r = rstd[row];
      const float k = -r * r * r * product / static_cast<float>(C);
      const Vec scale = Vec::set(r), along = Vec::set(k);
      for (i = 0; i + Vec::width <= C; i += Vec::width) {
        Vec value = fma(Vec::load(xr + i), along, Vec::load(dyr + i) * (Vec::load(weight + i) + more) * scale);
        if (cr) value = value + Vec::load(cr + i);
        value.store(dxr + i);
      }
      for (; i < C; i++) dxr[i] = dyr[i] * (weight[i] + offset) * r + xr[i] * k + (cr ? cr[i] : 0.0f);
    }
  });
  return nullptr;
}

const char* rms_norm_backward_weight(const Launch& launch) {
  const float* dy = launch.inputs[0].f32();
  const float* x = launch.inputs[1].f32();
  const float* rstd = launch.inputs[2].f32();
  float* gradient = launch.outputs[0].f32();
  const int64_t C = launch.outputs[0].shape[0];
  const int64_t rows = launch.inputs[0].elements() / C;
  // Columns are split, never rows: each sum runs over the tokens in one order.
  parallelFor(*launch.context, C, 64, [=](int64_t begin, int64_t end) {
    float sums[64] = {};
    for (int64_t row = 0; row < rows; row++) {
      const float r = rstd[row];
      for (int64_t i = begin; i < end; i++) sums[i - begin] += dy[row * C + i] * (x[row * C + i] * r);
    }
    for (int64_t i = begin; i < end; i++) gradient[i] += sums[i - begin];
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
