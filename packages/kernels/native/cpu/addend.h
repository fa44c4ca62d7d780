#pragma once

#include <cstring>

#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** Brings the addend to where a product is accumulated, unless it is there already. Returns whether there is one. */
static bool placeAddend(Context& context, const Tensor& addend, const Tensor& target) {
  if (addend.absent()) return false;
  if (addend.data != target.data) {
    const float* from = addend.f32();
    float* to = target.f32();
    parallelFor(context, target.elements(), 16384, [=](int64_t begin, int64_t end) { std::memcpy(to + begin, from + begin, (end - begin) * sizeof(float)); });
  }
  return true;
}

}  // namespace anneal::ANNEAL_ISA
