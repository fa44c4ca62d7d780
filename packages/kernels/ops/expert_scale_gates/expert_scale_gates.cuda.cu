#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

struct ScaleGates {
  const float* gates;
  const int32_t* experts;
  const float* scale;
  float* scaled;
  int64_t choices, count;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t token, int choice) const {
    const int64_t i = token * choices + choice;
    scaled[i] = gates[i] * scale[checkedId(experts[i], count, fault, Fault::row)];
  }
};

constexpr int kThreads = 256;

/** A block for each expert; every sum runs in one order. What goes to an expert that is not there was reported by expert_scale_gates. */
__global__ void __launch_bounds__(kThreads) gradientKernel(const float* dscaled, const float* gates, const int32_t* experts, int64_t count, float* gradient) {
  __shared__ float partial[kThreads / kWarp];
  const int32_t expert = static_cast<int32_t>(blockIdx.x);
  float sum = 0;
  for (int64_t i = threadIdx.x; i < count; i += kThreads)
    if (experts[i] == expert) sum = fmaf(dscaled[i], gates[i], sum);
  sum = joinBlock<kThreads>(sum, partial, Sum{});
  if (threadIdx.x == 0) gradient[expert] += sum;
}

}  // namespace

const char* expert_scale_gates(const Launch& launch) {
  const Tensor gates = launch.inputs[0], scale = launch.inputs[2];
  const ScaleGates of{gates.f32(),     launch.inputs[1].i32(), scale.f32(), launch.outputs[0].f32(), gates.shape[1],
                      scale.shape[0], contextOf(launch).fault};
  overSingles(launch, gates.shape[0], gates.shape[1], of);
  return nullptr;
}

const char* expert_scale_gates_backward(const Launch& launch) {
  const Tensor dscaled = launch.inputs[0], gradient = launch.outputs[0];
  gradientKernel<<<static_cast<unsigned>(gradient.shape[0]), kThreads, 0, contextOf(launch).stream>>>(
      dscaled.f32(), launch.inputs[1].f32(), launch.inputs[2].i32(), dscaled.elements(), gradient.f32());
  return nullptr;
}

}  // namespace anneal::cuda
