#include <cmath>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* square_sum(const Launch& launch) {
  constexpr int64_t kBlock = 16384;  // as in op.ts
  const float* x = launch.inputs[0].f32();
  double* total = launch.outputs[0].f64();
  double* partial = reinterpret_cast<double*>(launch.workspace);
  const int64_t count = launch.inputs[0].elements();
  parallelFor(*launch.context, count, kBlock, [=](int64_t begin, int64_t end) {
    double lanes[8] = {};
    int64_t i = begin;
    for (; i + 8 <= end; i += 8)
      for (int lane = 0; lane < 8; lane++) lanes[lane] += static_cast<double>(x[i + lane]) * static_cast<double>(x[i + lane]);
    for (; i < end; i++) lanes[0] += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    partial[begin / kBlock] = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  });
  double sum = 0;
  for (int64_t block = 0; block * kBlock < count; block++) sum += partial[block];
  *total += sum;
  return nullptr;
}

const char* clip_scale(const Launch& launch) {
  const double norm = std::sqrt(*launch.inputs[0].f64());
  const double maxNorm = launch.attributes[0];
  const double scale = maxNorm > 0 ? maxNorm / (norm + 1e-6) : 1.0;
  *launch.outputs[0].f32() = static_cast<float>(norm);
  *launch.outputs[1].f32() = scale < 1.0 ? static_cast<float>(scale) : 1.0f;
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
