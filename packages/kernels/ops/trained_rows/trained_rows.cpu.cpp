#include <cstring>

#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static const char* const kOutside = "a trained row lies outside the matrix";

const char* take_rows(const Launch& launch) {
  const Tensor from = launch.inputs[0], rows = launch.inputs[1];
  const int64_t D = from.shape[1];
  for (int64_t n = 0; n < rows.shape[0]; n++) {
    const int32_t row = rows.i32()[n];
    if (row < 0 || row >= from.shape[0]) return kOutside;
    std::memcpy(launch.outputs[0].f32() + n * D, from.f32() + row * D, D * sizeof(float));
  }
  return nullptr;
}

const char* put_rows(const Launch& launch) {
  const Tensor from = launch.inputs[0], rows = launch.inputs[1], into = launch.outputs[0];
  const int64_t D = from.shape[1];
  for (int64_t n = 0; n < rows.shape[0]; n++) {
    const int32_t row = rows.i32()[n];
    if (row < 0 || row >= into.shape[0]) return kOutside;
    std::memcpy(into.f32() + row * D, from.f32() + n * D, D * sizeof(float));
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
