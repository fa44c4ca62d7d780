#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Σ a·b over a stream, in a fixed order. */
float dot(const float* a, const float* b, int64_t width) {
  Vec sums = Vec::zero();
  for (int64_t i = 0; i < width; i += Vec::width) {
    const int lanes = lanesAt(i, width);
    sums = fma(Vec::load(a + i, lanes), Vec::load(b + i, lanes), sums);
  }
  return sum(sums);
}

float meanSquare(const float* x, int64_t width) { return dot(x, x, width) / static_cast<float>(width); }

/** y = a · x + b · z. */
void combine(float a, const float* x, float b, const float* z, float* y, int64_t width) {
  const Vec first = Vec::set(a), second = Vec::set(b);
  for (int64_t i = 0; i < width; i += Vec::width) {
    const int lanes = lanesAt(i, width);
    fma(first, Vec::load(x + i, lanes), second * Vec::load(z + i, lanes)).store(y + i, lanes);
  }
}

}  // namespace

const char* match_magnitude(const Launch& launch) {
  const float *x = launch.inputs[0].f32(), *like = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  const int64_t W = launch.inputs[0].shape[1], D = launch.inputs[1].shape[1];
  const float eps = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(2 * W), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float wanted = meanSquare(like + t * D, D);
      for (int64_t i = t * W; i < (t + 1) * W; i += D) {
        const float square = meanSquare(x + i, D);
        const float factor = std::sqrt(wanted / (square > eps ? square : eps));
        combine(factor, x + i, 0.0f, x + i, y + i, D);
      }
    }
  });
  return nullptr;
}

const char* match_magnitude_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32(), *like = launch.inputs[2].f32();
  float *dx = launch.outputs[0].f32(), *dlike = launch.outputs[1].f32();
  const int64_t W = launch.inputs[1].shape[1], D = launch.inputs[2].shape[1];
  const float eps = static_cast<float>(launch.attributes[0]);
  parallelFor(*launch.context, launch.inputs[1].shape[0], grainFor(4 * W), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const float* wanted = like + t * D;
      const float r = std::sqrt(meanSquare(wanted, D));
      float shares = 0;
      for (int64_t i = t * W; i < (t + 1) * W; i += D) {
        const float square = meanSquare(x + i, D), held = square > eps ? square : eps, s = std::sqrt(held);
        const float product = dot(dy + i, x + i, D);
        shares += product / s;
        const float along = square > eps ? product / (static_cast<float>(D) * held) : 0.0f;
        combine(r / s, dy + i, -(r / s) * along, x + i, dx + i, D);
      }
      combine(r > 0 ? shares / (static_cast<float>(D) * r) : 0.0f, wanted, 0.0f, wanted, dlike + t * D, D);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
