#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

struct Statistics {
  float mean, deviation;
};

Statistics statisticsOf(const float* x, int64_t width) {
  const float count = static_cast<float>(width);
  Vec sums = Vec::zero();
  for (int64_t i = 0; i < width; i += Vec::width) sums = sums + Vec::load(x + i, lanesAt(i, width));
  const float mean = sum(sums) / count;
  const int64_t whole = width / Vec::width * Vec::width;
  Vec squares = Vec::zero();
  for (int64_t i = 0; i < whole; i += Vec::width) {
    const Vec away = Vec::load(x + i) - Vec::set(mean);
    squares = fma(away, away, squares);
  }
  float square = sum(squares);
  for (int64_t i = whole; i < width; i++) square += (x[i] - mean) * (x[i] - mean);
  return {mean, std::sqrt(square / count)};
}

}  // namespace

const char* gaussian_top(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float* y = launch.outputs[0].f32();
  const int64_t F = launch.inputs[0].shape[1];
  const float deviations = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(3 * F), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const Statistics of = statisticsOf(x + t * F, F);
      const Vec cutoff = Vec::set(of.mean + deviations * of.deviation);
      for (int64_t i = t * F; i < (t + 1) * F; i += Vec::width) {
        const int lanes = lanesAt(i, (t + 1) * F);
        max(Vec::load(x + i, lanes) - cutoff, Vec::zero()).store(y + i, lanes);
      }
    }
  });
  return nullptr;
}

const char* gaussian_top_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32();
  float* dx = launch.outputs[0].f32();
  const int64_t F = launch.inputs[1].shape[1];
  const float deviations = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[1].shape[0], grainFor(5 * F), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float *dyt = dy + t * F, *xt = x + t * F;
      const Statistics of = statisticsOf(xt, F);
      const float limit = of.mean + deviations * of.deviation;
      const Vec cutoff = Vec::set(limit);
      Vec sums = Vec::zero();
      for (int64_t i = 0; i < F; i += Vec::width) {
        const int lanes = lanesAt(i, F);
        const Vec slopes = Vec::load(dyt + i, lanes);
        sums = sums + (slopes - zeroAbove(slopes, Vec::load(xt + i, lanes), cutoff));
      }
      const float share = sum(sums) / static_cast<float>(F);
      const float tilt = of.deviation > 0 ? deviations * share / of.deviation : 0.0f;
      for (int64_t i = 0; i < F; i += Vec::width) {
        const int lanes = lanesAt(i, F);
        const Vec slopes = Vec::load(dyt + i, lanes), values = Vec::load(xt + i, lanes);
        const Vec above = slopes - zeroAbove(slopes, values, cutoff);
        (above - fma(Vec::set(tilt), values - Vec::set(of.mean), Vec::set(share))).store(dx + t * F + i, lanes);
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
