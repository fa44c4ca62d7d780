#pragma once

#include <cuda_bf16.h>

#include "host_device.h"
#include "kernel.h"

namespace anneal::cuda {

using Bf16 = __nv_bfloat16;

inline constexpr const char* kUnsupportedType = "the CUDA kernel does not take this type";

template <typename A>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType type = DType::f32;
};
template <>
struct DTypeOf<Bf16> {
  static constexpr DType type = DType::bf16;
};

template <typename A>
ANNEAL_HOST_DEVICE A* dataOf(const Tensor& tensor) {
  return reinterpret_cast<A*>(tensor.data);
}

/** Calls body with a value of the C++ type of `type`, which is float32 or bf16. */
template <typename Body>
const char* withType(DType type, Body&& body) {
  if (type == DType::f32)
    body(float{});
  else if (type == DType::bf16)
    body(Bf16{});
  else
    return kUnsupportedType;
  return nullptr;
}

/** As withType of the type of `x`, for a body that may have something to say. */
template <typename Body>
const char* withActivations(const Tensor& x, Body body) {
  const char* problem = nullptr;
  const char* type = withType(x.type, [&](auto zero) { problem = body(zero); });
  return type ? type : problem;
}

/** As withType, for two types that do not depend on each other. */
template <typename Body>
const char* withTypes(DType first, DType second, Body&& body) {
  const char* problem = nullptr;
  const char* outer = withType(first, [&](auto a) { problem = withType(second, [&](auto b) { body(a, b); }); });
  return outer ? outer : problem;
}

inline int64_t ceilDivide(int64_t count, int64_t by) { return (count + by - 1) / by; }

/** Parts of a workspace, and buffers in it, begin at multiples of this many bytes. */
constexpr int64_t kWorkspaceAlignment = 256;

inline int64_t alignUp(int64_t bytes) { return ceilDivide(bytes, kWorkspaceAlignment) * kWorkspaceAlignment; }

/** Takes `bytes` from the front of what is left of a workspace. */
template <typename A>
A* take(char*& workspace, int64_t count) {
  A* taken = reinterpret_cast<A*>(workspace);
  workspace += alignUp(count * static_cast<int64_t>(sizeof(A)));
  return taken;
}

}  // namespace anneal::cuda
