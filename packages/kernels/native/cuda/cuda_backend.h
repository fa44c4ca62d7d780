#pragma once

#include <memory>
#include <string>
#include <vector>

#include "../backend.h"

namespace anneal {

struct CudaDeviceInfo {
  int index;
  std::string name;
  /** Of the PCI bus, as nvidia-smi writes it: 00000000:C1:00.0. */
  std::string bus_id;
  /** As 9.0. */
  std::string compute_capability;
  uint64_t memory_bytes;
  /** What the libraries take beside a plan. */
  uint64_t library_bytes;
  /** Whether this binary has code for it. */
  bool has_code;
};

struct CudaDevices {
  std::vector<CudaDeviceInfo> devices;
  /** As CUDA numbers itself, 13000 is 13.0: what the driver is for, 0 where there is none, and what this binary needs. */
  int driver_version, runtime_version;
  /** Why the GPUs could not be counted; empty where they could. */
  std::string error;
};

/** The GPUs of this host. */
CudaDevices cudaDevices();

/** Bytes that are free on the device now. Makes the driver's context on it. */
uint64_t cudaFreeBytes(int index);

/** `graphs`: launches are recorded and repeated as CUDA graphs. Throws std::runtime_error with what is missing and what to do. */
std::unique_ptr<Backend> openCuda(const Plan& plan, int index, bool graphs);

}  // namespace anneal
