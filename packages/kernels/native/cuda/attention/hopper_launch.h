#pragma once

#include "tensor_map.h"

namespace anneal::cuda {

constexpr const char* kNoTensorMap = "the driver does not describe matrices for TMA: update it, or set ANNEAL_CUDA_ATTENTION=mma";

/** What both passes of the backward kernel are given: queries and d_out come 64 rows at a time, keys and values 128. */
struct BackwardArguments {
  CUtensorMap q, d_out, k, v;
  Backward p;
};

}  // namespace anneal::cuda
