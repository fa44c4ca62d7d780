#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace anneal::cuda {

/** Throws std::runtime_error where a call of the runtime failed. */
inline void check(cudaError_t error, const char* doing) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + doing + ": " + cudaGetErrorString(error));
}

}  // namespace anneal::cuda
