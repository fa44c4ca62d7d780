#pragma once

#include "tensor_map.h"

namespace anneal::cuda {

constexpr const char* kNoTensorMap = "the driver does not describe matrices for TMA: update it, or set ANNEAL_CUDA_ATTENTION=mma";

}  // namespace anneal::cuda
