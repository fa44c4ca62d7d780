#include "cuda/elements.cuh"
#include "cuda/philox.cuh"

namespace anneal::cuda {
namespace {

/** No place in a model has this stream of random words. */
constexpr uint32_t kStream = 0xffffffffu;

template <typename A>
struct EmbeddingNoise {
  const A* x;
  const int32_t *seed, *ends;
  A* y;
  int documents, width;
  float alpha;

  /** Element i takes word i % 4 of counter i / 4, as on the CPU. */
  template <int V>
  __device__ void run(int64_t row, int column) const {
    int first = 0, last = documents;  // ends[first] <= row < ends[last]
    while (last - first > 1) {
      const int middle = (first + last) / 2;
      (ends[middle] <= row ? first : last) = middle;
    }
    const float rows = static_cast<float>(ends[last] - ends[first]);
    const float most = alpha * rsqrtf(rows * static_cast<float>(width)) * 0x1p-31f;
    const int64_t i = row * width + column;
    float values[V];
    load<V>(x + i, values);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const int64_t counter = (i + j) / 4;
      const uint4 words = philox(make_uint4(static_cast<uint32_t>(counter), static_cast<uint32_t>(counter >> 32), kStream, 0), seed[0], seed[1]);
      const int word = static_cast<int>((i + j) % 4);
      const uint32_t bits = word == 0 ? words.x : word == 1 ? words.y : word == 2 ? words.z : words.w;
      values[j] += most * static_cast<float>(static_cast<int32_t>(bits));
    }
    store<V>(y + i, values);
  }
};

}  // namespace

const char* embedding_noise(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0], ends = launch.inputs[2];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    const EmbeddingNoise<A> body{dataOf<A>(x),
                                 launch.inputs[1].i32(),
                                 ends.i32(),
                                 dataOf<A>(y),
                                 static_cast<int>(ends.shape[0]) - 1,
                                 static_cast<int>(y.shape[1]),
                                 static_cast<float>(launch.attributes[0])};
    overRows<A>(launch, y.shape[0], y.shape[1], body);
  });
}

}  // namespace anneal::cuda
