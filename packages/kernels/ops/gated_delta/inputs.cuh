#pragma once

#include "sweep.cuh"

namespace anneal::cuda {
namespace {

/** @param inputs qkv, a, b, decay, shift */
template <typename A>
GatedDelta<A> deltaOf(const Tensor* inputs, const double* attributes) {
  const int64_t columns = inputs[0].shape[1];
  const int heads = static_cast<int>(inputs[1].shape[1]), keyHeads = static_cast<int>(attributes[0]), keySize = static_cast<int>(attributes[1]);
  return {dataOf<A>(inputs[0]),
          dataOf<A>(inputs[1]),
          dataOf<A>(inputs[2]),
          inputs[3].f32(),
          inputs[4].f32(),
          inputs[0].shape[0],
          columns,
          heads,
          keyHeads,
          keySize,
          static_cast<int>((columns - int64_t{2} * keyHeads * keySize) / heads)};
}

}  // namespace
}  // namespace anneal::cuda
