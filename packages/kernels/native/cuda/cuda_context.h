#pragma once

#include <cuda_runtime.h>

#include "kernel.h"

namespace anneal::cuda {

class Blas;
class CopyStream;

/** What every CUDA kernel is given beside its tensors. All work goes to `stream`; nothing in a kernel waits for the device. */
struct CudaContext : Context {
  cudaStream_t stream;
  int multiprocessors;
  /** On the device: a kernel that meets a bad value stores its Fault there and goes on with a harmless one; read once a step. */
  int32_t* fault;
  Blas* blas;
  CopyStream* copies;
};

/** Bad values that only the device sees. */
enum class Fault : int32_t { none = 0, token = 1, label = 2, row = 3, position = 4 };

inline CudaContext& contextOf(const Launch& launch) { return *static_cast<CudaContext*>(launch.context); }

}  // namespace anneal::cuda
