#include <cmath>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** torch's eps: a smaller norm counts as this. */
static constexpr double kLeastNorm = 1e-7;

const char* muon_direction(const Launch& launch) {
  const int64_t rows = launch.outputs[0].shape[0], columns = launch.outputs[0].shape[1];
  const bool turned = rows > columns;
  const float* gradient = launch.inputs[0].f32();
  float* m = launch.outputs[0].f32();
  float* direction = launch.outputs[1].f32();
  double* squares = reinterpret_cast<double*>(launch.workspace);
  const float clip = *launch.inputs[2].f32();
  const float momentum = static_cast<float>(launch.attributes[0]), rest = static_cast<float>(1.0 - launch.attributes[0]);
  const auto between = [=](int64_t at, int count) {
    const Vec g = Vec::load(gradient + at, count) * Vec::set(clip);
    return Vec::set(rest) * g + Vec::set(momentum) * Vec::load(m + at, count);
  };
  parallelFor(*launch.context, rows, grainFor(columns), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      Vec sum = Vec::zero();
      for (int64_t j = 0; j < columns; j += Vec::width) {
        const int count = lanesAt(j, columns);
        const int64_t at = i * columns + j;
        const Vec g = Vec::load(gradient + at, count) * Vec::set(clip);
        (Vec::set(momentum) * Vec::load(m + at, count) + Vec::set(rest) * g).store(m + at, count);
        const Vec value = between(at, count);
        sum += value * value;
      }
      squares[i] = static_cast<double>(anneal::ANNEAL_ISA::sum(sum));
    }
  });
  double squareSum = 0;
  for (int64_t i = 0; i < rows; i++) squareSum += squares[i];
  const double norm = std::sqrt(squareSum);
  const float inverse = static_cast<float>(1.0 / (norm < kLeastNorm ? kLeastNorm : norm));
  parallelFor(*launch.context, rows, grainFor(columns), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < columns; j += Vec::width) {
        const int count = lanesAt(j, columns);
        const Vec value = between(i * columns + j, count) * Vec::set(inverse);
        if (!turned) {
          value.store(direction + i * columns + j, count);
          continue;
        }
        float lanes[Vec::width];
        value.store(lanes);
        for (int lane = 0; lane < count; lane++) direction[(j + lane) * rows + i] = lanes[lane];
      }
  });
  return nullptr;
}

const char* muon_apply(const Launch& launch) {
  const int64_t rows = launch.outputs[0].shape[0], columns = launch.outputs[0].shape[1];
  const bool turned = rows > columns;
  float* parameter = launch.outputs[0].f32();
  const float* direction = launch.inputs[1].f32();
  const double rate = *launch.inputs[2].f32();
  const double ratio = static_cast<double>(rows) / static_cast<double>(columns);
  const float decay = static_cast<float>(1.0 - rate * launch.attributes[0]);
  const float stepSize = static_cast<float>(rate * std::sqrt(ratio < 1.0 ? 1.0 : ratio));
  parallelFor(*launch.context, rows, grainFor(columns), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++)
      for (int64_t j = 0; j < columns; j += Vec::width) {
        const int count = lanesAt(j, columns);
        float lanes[Vec::width] = {};
        if (turned)
          for (int lane = 0; lane < count; lane++) lanes[lane] = direction[(j + lane) * rows + i];
        float* at = parameter + i * columns + j;
        const Vec move = turned ? Vec::load(lanes) : Vec::load(direction + i * columns + j, count);
        (Vec::load(at, count) * Vec::set(decay) - Vec::set(stepSize) * move).store(at, count);
      }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
