#include "tensor_map.h"

#include <cuda_runtime.h>

namespace anneal::cuda {

/** The driver's function, without linking against the driver: hosts without a GPU have none. */
static decltype(&cuTensorMapEncodeTiled) encoder() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult found;
  const cudaError_t error = cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000, cudaEnableDefault, &found);
  if (error != cudaSuccess || found != cudaDriverEntryPointSuccess) return nullptr;
  return reinterpret_cast<decltype(&cuTensorMapEncodeTiled)>(function);
}

bool makeTensorMap(CUtensorMap& map, const void* data, int tokens, int heads, int head_size, int rows) {
  static const auto encode = encoder();
  if (!encode) return false;
  const cuuint64_t sizes[] = {64, static_cast<cuuint64_t>(tokens), static_cast<cuuint64_t>(heads) * head_size / 64};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(heads) * head_size * 2, 128};
  const cuuint32_t box[] = {64, static_cast<cuuint32_t>(rows), static_cast<cuuint32_t>(head_size / 64)}, steps[] = {1, 1, 1};
  return encode(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, 3, const_cast<void*>(data), sizes, strides, box, steps, CU_TENSOR_MAP_INTERLEAVE_NONE,
                CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

}  // namespace anneal::cuda
