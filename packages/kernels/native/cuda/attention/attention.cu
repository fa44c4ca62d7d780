#include "attention.h"

#include <cstdlib>
#include <cstring>

namespace anneal::cuda {

bool hasTensorCoreKernels(const AttentionShape& s) {
  const int size = s.head_size;
  // Their running maximum is that of unscaled scores.
  return s.type == DType::bf16 && s.cache_type == DType::bf16 && s.scale > 0 && (size == 64 || size == 96 || size == 128 || size == 256);
}

/** ANNEAL_CUDA_ATTENTION=plain|mma makes a GPU use other kernels than its best, for tests. */
static Family chosen(Family family, const AttentionShape& shape) {
  if (!hasTensorCoreKernels(shape)) return Family::plain;
  if (family != Family::automatic) return family;
  const char* name = std::getenv("ANNEAL_CUDA_ATTENTION");
  return name && std::strcmp(name, "plain") == 0 ? Family::plain : Family::mma;
}

const char* attentionForward(const Forward& forward, cudaStream_t stream, Family family) {
  if (forward.shape.tokens == 0) return nullptr;
  return chosen(family, forward.shape) == Family::plain ? plainForward(forward, stream) : mmaForward(forward, stream);
}

const char* attentionBackward(const Backward& backward, cudaStream_t stream, Family family) {
  if (backward.shape.tokens == 0) return nullptr;
  if (const char* problem = attentionDelta(backward, stream)) return problem;
  if (chosen(family, backward.shape) == Family::plain) return plainBackward(backward, stream);
  if (const char* problem = mmaBackwardQueries(backward, stream)) return problem;
  return mmaBackwardKeys(backward, stream);
}

}  // namespace anneal::cuda
