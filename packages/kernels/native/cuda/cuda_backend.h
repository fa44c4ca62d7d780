#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../backend.h"

namespace anneal {

struct CudaDeviceInfo {
  int index;
  std::string name;
  /** As 9.0. */
  std::string compute_capability;
  uint64_t memory_bytes;
  /** What the libraries take beside a plan. */
  uint64_t library_bytes;
};

struct CudaDevices {
  std::vector<CudaDeviceInfo> devices;
  /** Why there are none; empty where there are. */
  std::string reason;
};

/** The GPUs that this binary has code for. */
CudaDevices cudaDevices();

/** Bytes that are free on the device now. Makes the driver's context on it. */
uint64_t cudaFreeBytes(int index);

/** `graphs`: launches are recorded and repeated as CUDA graphs. Throws std::runtime_error with what is missing and what to do. */
std::unique_ptr<Backend> openCuda(const Plan& plan, int index, bool graphs);

}  // namespace anneal
