#include "cuda/cuda_context.h"

namespace anneal::cuda {

const char* zero(const Launch& launch) {
  const Tensor x = launch.outputs[0];
  const cudaError_t error = cudaMemsetAsync(x.data, 0, x.elements() * elementBytes(x.type), contextOf(launch).stream);
  return error == cudaSuccess ? nullptr : cudaGetErrorString(error);
}

}  // namespace anneal::cuda
