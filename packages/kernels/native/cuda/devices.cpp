#include <cstdio>

#include "cuda_backend.h"
#include "device_memory.h"
#include "targets.h"

namespace anneal {

CudaDevices cudaDevices() {
  CudaDevices found{};
  cudaDriverGetVersion(&found.driver_version);
  cudaRuntimeGetVersion(&found.runtime_version);
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    if (error != cudaErrorNoDevice) found.error = cudaGetErrorString(error);
    return found;
  }
  for (int i = 0; i < count; i++) {
    cudaDeviceProp properties;
    if (const cudaError_t problem = cudaGetDeviceProperties(&properties, i); problem != cudaSuccess) {
      cudaGetLastError();
      found.error = cudaGetErrorString(problem);
      continue;
    }
    const std::string capability = std::to_string(properties.major) + "." + std::to_string(properties.minor);
    char bus[20];
    std::snprintf(bus, sizeof bus, "%08X:%02X:%02X.0", properties.pciDomainID, properties.pciBusID, properties.pciDeviceID);
    found.devices.push_back({i, properties.name, bus, capability, properties.totalGlobalMem, cuda::kWorkspaceBytes + cuda::kSideWorkspaceBytes,
                             cuda::hasCodeFor(properties.major, properties.minor)});
  }
  return found;
}

uint64_t cudaFreeBytes(int index) {
  size_t free = 0, total = 0;
  cuda::check(cudaSetDevice(index), "opening the device");
  cuda::check(cudaMemGetInfo(&free, &total), "asking for the free memory");
  return free;
}

}  // namespace anneal
