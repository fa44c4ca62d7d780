#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

struct Scale {
  float factor;
  __device__ float operator()(float x) const { return x * factor; }
};

}  // namespace

const char* scale(const Launch& launch) { return mapElements(launch, Scale{static_cast<float>(launch.attributes[0])}); }

}  // namespace anneal::cuda
