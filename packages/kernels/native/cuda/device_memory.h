#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "check.h"

namespace anneal::cuda {

/** Of cuBLASLt, for each of the two streams. Products of the second one are short. */
inline constexpr size_t kWorkspaceBytes = size_t{32} << 20, kSideWorkspaceBytes = size_t{8} << 20;

struct FreeDevice {
  void operator()(void* memory) const { cudaFree(memory); }
};

struct FreeHost {
  void operator()(void* memory) const { cudaFreeHost(memory); }
};

using DeviceMemory = std::unique_ptr<char, FreeDevice>;
using HostMemory = std::unique_ptr<char, FreeHost>;

/** Of this many bytes, cleared by `stream`. Throws std::runtime_error with `what` takes them where they are not free. */
inline DeviceMemory allocateDevice(uint64_t bytes, cudaStream_t stream, const char* what) {
  void* memory = nullptr;
  if (cudaMalloc(&memory, bytes) != cudaSuccess) {
    cudaGetLastError();
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw std::runtime_error("out of memory: " + std::string(what) + " takes " + std::to_string(bytes) + " bytes of the device's memory, " +
                             std::to_string(free) + " of " + std::to_string(total) + " are free");
  }
  DeviceMemory owned(static_cast<char*>(memory));
  check(cudaMemsetAsync(memory, 0, bytes, stream), "clearing memory");
  return owned;
}

/** Page-locked, and mapped: kernels may read it, copies to and from it run beside them. */
inline HostMemory allocateHost(uint64_t bytes) {
  void* memory = nullptr;
  if (cudaHostAlloc(&memory, bytes, cudaHostAllocMapped | cudaHostAllocPortable) != cudaSuccess) {
    cudaGetLastError();
    throw std::runtime_error("out of memory: the plan takes " + std::to_string(bytes) + " page-locked bytes of the host's memory, which are not free");
  }
  return HostMemory(static_cast<char*>(memory));
}

}  // namespace anneal::cuda
