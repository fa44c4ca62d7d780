#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

struct SoftCap {
  float cap;
  __device__ float operator()(float x) const { return cap * tanhf(x / cap); }
};

}  // namespace

const char* soft_cap(const Launch& launch) { return mapElements(launch, SoftCap{static_cast<float>(launch.attributes[0])}); }

}  // namespace anneal::cuda
