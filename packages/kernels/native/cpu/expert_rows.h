#pragma once

#include "../kernel.h"

// Rows sorted by expert, as expert_route counts them: those of expert e lie from offsets[e] up to offsets[e + 1].

namespace anneal::ANNEAL_ISA {

static const char* const kOffsetsUnordered = "the experts' offsets do not ascend to the number of assignments";

static inline bool ascend(const Tensor& offsets, int64_t rows) {
  const int64_t experts = offsets.shape[0] - 1;
  if (offsets.i32()[0] != 0 || offsets.i32()[experts] != rows) return false;
  for (int64_t e = 0; e < experts; e++) {
    if (offsets.i32()[e] > offsets.i32()[e + 1]) return false;
  }
  return true;
}

}  // namespace anneal::ANNEAL_ISA
