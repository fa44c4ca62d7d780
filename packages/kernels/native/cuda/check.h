#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace anneal::cuda {

/** Throws std::runtime_error where a call of the runtime failed; its text ends with the error's name, by which the trainer tells what to do. */
inline void check(cudaError_t error, const char* doing) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + doing + ": " + cudaGetErrorString(error) + " (" + cudaGetErrorName(error) + ")");
}

}  // namespace anneal::cuda
