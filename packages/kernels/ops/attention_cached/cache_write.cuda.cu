#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

template <typename A, typename C>
struct CacheWrite {
  const A* x;
  const int32_t *positions, *sequences;
  int sequence_count;
  C* cache;
  int64_t tokens, capacity, width;
  int32_t* fault;

  /** The last sequence that begins at or before this token. Where all have one token it is the first that is looked at. */
  __device__ int sequenceOf(int64_t token) const {
    int low = 0, high = sequence_count - 1, middle = static_cast<int>(min(token, int64_t{high}));
    while (low < high) {
      if (sequences[4 * middle] <= token && (middle == high || sequences[4 * middle + 4] > token)) return middle;
      if (sequences[4 * middle] <= token) low = middle + 1;
      else high = max(middle - 1, low);
      middle = (low + high) / 2;
    }
    return low;
  }

  /** The row of the cache for this token; -1 where its position does not follow. */
  __device__ int64_t rowOf(int64_t token) const {
    const int64_t position = positions[token];
    if (!sequences) return position == positions[0] + token ? position : -1;
    const int32_t* of = sequences + 4 * sequenceOf(token);
    const int64_t first = of[0];
    if (first < 0 || first > token || position != positions[first] + token - first) return -1;
    return position < of[2] ? of[1] + position : of[3] + position - of[2];
  }

  /** What would lie outside the cache is not written. */
  template <int V>
  __device__ void run(int64_t token, int column) const {
    const int64_t row = rowOf(token);
    if (row < 0 || row >= capacity) {
      report(fault, Fault::position);
      return;
    }
    float values[V];
    load<V>(x + token * width + column, values);
    store<V>(cache + row * width + column, values);
  }
};

}  // namespace

const char* cache_write(const Launch& launch) {
  const Tensor x = launch.inputs[0], sequences = launch.inputs[3], cache = launch.outputs[0];
  const int count = sequences.absent() ? 0 : static_cast<int>(sequences.shape[0]);
  return withTypes(x.type, cache.type, [&](auto zero, auto held) {
    using A = decltype(zero);
    using C = decltype(held);
    overRows<A>(launch, x.shape[0], x.shape[1],
                CacheWrite<A, C>{dataOf<A>(x), launch.inputs[2].i32(), sequences.i32(), count, dataOf<C>(cache), x.shape[0], cache.shape[0], x.shape[1],
                                 contextOf(launch).fault});
  });
}

}  // namespace anneal::cuda
