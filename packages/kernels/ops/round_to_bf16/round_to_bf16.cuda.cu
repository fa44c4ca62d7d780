#include "cuda/operand.cuh"

namespace anneal::cuda {

const char* round_to_bf16(const Launch& launch) {
  const Tensor x = launch.inputs[0], copy = launch.outputs[0];
  overElements<Bf16>(launch, copy.elements(), Convert<float, Bf16>{x.f32(), dataOf<Bf16>(copy)});
  return nullptr;
}

}  // namespace anneal::cuda
