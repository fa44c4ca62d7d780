#pragma once

#include <cstdint>

#include "../kernel.h"

namespace anneal::ANNEAL_ISA {

/** Rows of packed documents: document d holds the tokens ends[d] … ends[d + 1] - 1. */
struct Documents {
  const int32_t* ends;
  int64_t count;

  explicit Documents(const Tensor& cu_seqlens) : ends(cu_seqlens.i32()), count(cu_seqlens.shape[0] - 1) {}

  /** What is wrong with them, or null. */
  const char* check(int64_t tokens) const {
    if (count < 1 || ends[0] != 0 || ends[count] != tokens) return "cuSeqlens does not run from 0 to the number of tokens";
    for (int64_t d = 0; d < count; d++)
      if (ends[d + 1] < ends[d]) return "cuSeqlens is not ascending";
    return nullptr;
  }
};

}  // namespace anneal::ANNEAL_ISA
