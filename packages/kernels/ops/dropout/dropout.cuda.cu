#include "cuda/elements.cuh"
#include "cuda/philox.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct Dropout {
  const A* x;
  const int32_t* seed;
  A* y;
  uint32_t stream, threshold;
  float scale;

  /** Element i takes word i % 4 of counter i / 4, as on the CPU. */
  template <int V>
  __device__ void run(int64_t i) const {
    const uint32_t low = seed[0], high = seed[1];
    float values[V];
    load<V>(x + i, values);
#pragma unroll
    for (int first = 0; first < V; first += 4) {
      const int64_t counter = (i + first) / 4;
      const uint4 words = philox(make_uint4(static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), stream, 0), low, high);
      if constexpr (V == 1) {
        const int word = static_cast<int>(i % 4);
        keep(word == 0 ? words.x : word == 1 ? words.y : word == 2 ? words.z : words.w, values[0]);
      } else {
        keep(words.x, values[first]);
        keep(words.y, values[first + 1]);
        keep(words.z, values[first + 2]);
        keep(words.w, values[first + 3]);
      }
    }
    store<V>(y + i, values);
  }

  __device__ void keep(uint32_t word, float& value) const { value = word >= threshold ? value * scale : 0.0f; }
};

}  // namespace

const char* dropout(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const double rate = launch.attributes[0];
  const uint32_t stream = static_cast<uint32_t>(launch.attributes[1]);
  const uint32_t threshold = static_cast<uint32_t>(rate * 4294967296.0);
  const float scale = static_cast<float>(1.0 / (1.0 - rate));
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    overElements<A>(launch, y.elements(), Dropout<A>{dataOf<A>(x), launch.inputs[1].i32(), dataOf<A>(y), stream, threshold, scale});
  });
}

}  // namespace anneal::cuda
