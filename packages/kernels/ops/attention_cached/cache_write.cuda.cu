#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <typename A, typename C>
struct CacheWrite {
  const A* x;
  const int32_t* positions;
  C* cache;
  int64_t capacity, width;
  int32_t* fault;

  /** A row whose position does not follow, or lies outside the cache, is not written. */
  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t position = positions[row];
    if (position < 0 || position >= capacity || position != positions[0] + row) {
      report(fault, Fault::position);
      return;
    }
    float values[V];
    load<V>(x + row * width + column, values);
    store<V>(cache + position * width + column, values);
  }
};

}  // namespace

const char* cache_write(const Launch& launch) {
  const Tensor x = launch.inputs[0], cache = launch.outputs[0];
  if (!launch.inputs[3].absent()) return "several sequences side by side have no kernel on CUDA";
  return withTypes(x.type, cache.type, [&](auto zero, auto held) {
    using A = decltype(zero);
    using C = decltype(held);
    overRows<A>(launch, x.shape[0], x.shape[1],
                CacheWrite<A, C>{dataOf<A>(x), launch.inputs[2].i32(), dataOf<C>(cache), cache.shape[0], x.shape[1], contextOf(launch).fault});
  });
}

}  // namespace anneal::cuda
