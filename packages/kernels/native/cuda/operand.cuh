#pragma once

#include "cuda/blas.h"
#include "cuda/elements.cuh"

namespace anneal::cuda {

template <typename From, typename To>
struct Convert {
  const From* from;
  To* to;

  template <int V>
  __device__ void run(int64_t i) const {
    float values[V];
    load<V>(from + i, values);
    store<V>(to + i, values);
  }
};

/**
 * What a product's operands are rounded to: bf16 where the activations are bf16, or the op asks for it (`bf16`, an attribute), as
 * on the CPU.
 */
inline DType computeType(const Tensor& activation, double bf16) { return activation.type == DType::bf16 || bf16 != 0 ? DType::bf16 : DType::f32; }

/** The tensor's values in `type`: itself, or a copy of roundUp(elements · elementBytes(type), 256) bytes taken from the workspace. */
inline const void* valuesAs(const Launch& launch, const Tensor& tensor, DType type, char*& workspace) {
  if (tensor.type == type) return tensor.data;
  const int64_t count = tensor.elements();
  if (type == DType::bf16) {
    Bf16* to = take<Bf16>(workspace, count);
    overElements<Bf16>(launch, count, Convert<float, Bf16>{tensor.f32(), to});
    return to;
  }
  float* to = take<float>(workspace, count);
  overElements<Bf16>(launch, count, Convert<Bf16, float>{dataOf<Bf16>(tensor), to});
  return to;
}

inline Matrix operandOf(const Launch& launch, const Tensor& tensor, bool transposed, DType type, char*& workspace) {
  return {valuesAs(launch, tensor, type, workspace), type, tensor.shape[1], transposed};
}

}  // namespace anneal::cuda
