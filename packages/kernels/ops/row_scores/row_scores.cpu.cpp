#include <cstring>

#include "kernel.h"

// A row a document: too few to be worth another thread.

namespace anneal::ANNEAL_ISA {
namespace {

bool areInside(const Tensor& rows, int64_t height) {
  for (int64_t r = 0; r < rows.shape[0]; r++)
    if (rows.i32()[r] < 0 || rows.i32()[r] >= height) return false;
  return true;
}

}  // namespace

const char* row_scores(const Launch& launch) {
  const Tensor x = launch.inputs[0], rows = launch.inputs[2];
  const float* weight = launch.inputs[1].f32();
  const int64_t D = x.shape[1];
  if (!areInside(rows, x.shape[0])) return "a row index is out of range";
  for (int64_t r = 0; r < rows.shape[0]; r++) {
    const float* row = x.f32() + rows.i32()[r] * D;
    double sum = 0;
    for (int64_t d = 0; d < D; d++) sum += static_cast<double>(row[d]) * static_cast<double>(weight[d]);
    launch.outputs[0].f32()[r] = static_cast<float>(sum);
  }
  return nullptr;
}

const char* row_scores_backward(const Launch& launch) {
  const Tensor x = launch.inputs[0], rows = launch.inputs[2], total = launch.outputs[1];
  const float* weight = launch.inputs[1].f32();
  const float* dscores = launch.inputs[3].f32();
  const int64_t D = x.shape[1];
  if (!areInside(rows, x.shape[0])) return "a row index is out of range";
  float* dx = launch.outputs[0].f32();
  std::memset(dx, 0, x.shape[0] * D * sizeof(float));
  for (int64_t r = 0; r < rows.shape[0]; r++) {
    const int64_t at = rows.i32()[r] * D;
    for (int64_t d = 0; d < D; d++) dx[at + d] = dscores[r] * weight[d];
  }
  if (total.absent()) return nullptr;
  for (int64_t d = 0; d < D; d++) {
    double sum = 0;
    for (int64_t r = 0; r < rows.shape[0]; r++)
      sum += static_cast<double>(dscores[r]) * static_cast<double>(x.f32()[rows.i32()[r] * D + d]);
    total.f32()[d] += static_cast<float>(sum);
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
