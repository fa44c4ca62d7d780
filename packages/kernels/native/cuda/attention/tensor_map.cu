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

static bool encode(CUtensorMap& map, int rank, const void* data, const cuuint64_t* sizes, const cuuint64_t* strides, const cuuint32_t* box) {
  static const auto encodeTiled = encoder();
  const cuuint32_t steps[] = {1, 1, 1};
  return encodeTiled && encodeTiled(&map, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16, rank, const_cast<void*>(data), sizes, strides, box, steps,
                                    CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B, CU_TENSOR_MAP_L2_PROMOTION_L2_256B,
                                    CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE) == CUDA_SUCCESS;
}

bool makeTensorMap(CUtensorMap& map, const void* data, int tokens, int heads, int head_size, int rows) {
  const cuuint64_t sizes[] = {64, static_cast<cuuint64_t>(tokens), static_cast<cuuint64_t>(heads) * head_size / 64};
  const cuuint64_t strides[] = {static_cast<cuuint64_t>(heads) * head_size * 2, 128};
  const cuuint32_t box[] = {64, static_cast<cuuint32_t>(rows), static_cast<cuuint32_t>(head_size / 64)};
  return encode(map, 3, data, sizes, strides, box);
}

bool makeMatrixMap(CUtensorMap& map, const void* data, int64_t rows, int64_t columns, int box_rows) {
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows)}, strides[] = {static_cast<cuuint64_t>(columns) * 2};
  const cuuint32_t box[] = {64, static_cast<cuuint32_t>(box_rows)};
  return encode(map, 2, data, sizes, strides, box);
}

}  // namespace anneal::cuda
