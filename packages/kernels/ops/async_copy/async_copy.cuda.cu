#include "cuda/check.h"
#include "cuda/copy_stream.h"
#include "cuda/cuda_context.h"

namespace anneal::cuda {

static uint64_t bytesOf(const Tensor& tensor) { return tensor.elements() * elementBytes(tensor.type); }

const char* async_copy(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  contextOf(launch).copies->start(static_cast<size_t>(launch.attributes[0]), y.data, x.data, bytesOf(y));
  return nullptr;
}

const char* await_copy(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const CudaContext& context = contextOf(launch);
  context.copies->wait(static_cast<size_t>(launch.attributes[0]));
  if (x.data != y.data) check(cudaMemcpyAsync(y.data, x.data, bytesOf(y), cudaMemcpyDefault, context.stream), "copying");
  return nullptr;
}

}  // namespace anneal::cuda
