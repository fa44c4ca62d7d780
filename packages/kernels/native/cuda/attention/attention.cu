#include "attention.h"

#include <cstdlib>
#include <cstring>

namespace anneal::cuda {

/** Of the current GPU; 0 where it cannot be asked. */
static int attributeOf(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 0;
  return cudaDeviceGetAttribute(&value, attribute, device) == cudaSuccess ? value : 0;
}

int sharedMemoryLimit() { return attributeOf(cudaDevAttrMaxSharedMemoryPerBlockOptin); }

int multiprocessors() { return attributeOf(cudaDevAttrMultiProcessorCount); }

bool hasTensorCoreKernels(const AttentionShape& s) {
  const int size = s.head_size;
  // Their running maximum is that of unscaled scores.
  if (s.type != DType::bf16 || s.cache_type != DType::bf16 || s.scale <= 0) return false;
  const bool hasRoom = sharedMemoryLimit() >= 163 << 10;
  if (s.soft_cap != 0) return size == 128 || (size == 256 && hasRoom);
  return size == 64 || size == 96 || size == 128 || size == 192 || ((size == 256 || size == 512) && hasRoom);
}

bool isHopper() {
  static const bool is = [] {
    int device = 0, major = 0;
    return cudaGetDevice(&device) == cudaSuccess && cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device) == cudaSuccess &&
           major == 9 && hopperCodeIsPresent();
  }();
  return is;
}

bool hasHopperKernels(const AttentionShape& s) {
  return hasTensorCoreKernels(s) && (s.head_size == 64 || s.head_size == 128) && s.soft_cap == 0 && !s.positions && isHopper();
}

/** ANNEAL_CUDA_ATTENTION=plain|mma makes a GPU use other kernels than its best, for tests. */
static Family chosen(Family family, const AttentionShape& shape) {
  if (family == Family::automatic) {
    const char* name = std::getenv("ANNEAL_CUDA_ATTENTION");
    if (name && std::strcmp(name, "plain") == 0) family = Family::plain;
    else if (name && std::strcmp(name, "mma") == 0) family = Family::mma;
    else family = Family::hopper;
  }
  if (family == Family::hopper && !hasHopperKernels(shape)) family = Family::mma;
  return family == Family::mma && !hasTensorCoreKernels(shape) ? Family::plain : family;
}

const char* attentionForward(const Forward& forward, cudaStream_t stream, Family family) {
  if (forward.shape.tokens == 0) return nullptr;
  switch (chosen(family, forward.shape)) {
    case Family::plain:
      return plainForward(forward, stream);
    case Family::mma:
      return mmaForward(forward, stream);
    default:
      return hopperForward(forward, stream);
  }
}

const char* attentionBackward(const Backward& backward, cudaStream_t stream, Family family) {
  if (backward.shape.tokens == 0) return nullptr;
  if (const char* problem = attentionDelta(backward, stream)) return problem;
  switch (chosen(family, backward.shape)) {
    case Family::plain:
      return plainBackward(backward, stream);
    case Family::mma:
      if (const char* problem = mmaBackwardQueries(backward, stream)) return problem;
      return mmaBackwardKeys(backward, stream);
    default:
      return hopperBackward(backward, stream);
  }
}

}  // namespace anneal::cuda
