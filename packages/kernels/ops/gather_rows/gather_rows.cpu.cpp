#include <cstring>

#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* gather_rows(const Launch& launch) {
  const Tensor x = launch.inputs[0], rows = launch.inputs[1];
  const int64_t D = x.shape[1];
  for (int64_t n = 0; n < rows.shape[0]; n++) {
    const int32_t row = rows.i32()[n];
    if (row < 0 || row >= x.shape[0]) return "a row index is out of range";
    std::memcpy(launch.outputs[0].f32() + n * D, x.f32() + row * D, D * sizeof(float));
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
