#pragma once

#include <cuda_runtime.h>

#include <stdexcept>
#include <string>

namespace anneal::cuda {

/** The error in words, and in brackets its name, by which the trainer tells what to do. */
inline std::string errorText(cudaError_t error) { return std::string(cudaGetErrorString(error)) + " (" + cudaGetErrorName(error) + ")"; }

/** Throws std::runtime_error where a call of the runtime failed. */
inline void check(cudaError_t error, const char* doing) {
  if (error != cudaSuccess) throw std::runtime_error(std::string("CUDA: ") + doing + ": " + errorText(error));
}

}  // namespace anneal::cuda
