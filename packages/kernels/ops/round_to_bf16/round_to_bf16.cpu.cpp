#include <cstring>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** To nearest, ties to even; not a number stays one. */
static uint16_t rounded(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

const char* round_to_bf16(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  uint16_t* copy = launch.outputs[0].bf16();
  parallelFor(*launch.context, launch.outputs[0].elements(), 16384, [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) copy[i] = rounded(x[i]);
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
