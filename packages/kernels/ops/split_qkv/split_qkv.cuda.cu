#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** Copies rows [q k v] into their parts or, to join, the parts into rows. */
template <bool kJoin, typename A>
struct Parts {
  A *x, *q, *k, *v;
  int64_t queries, keys;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    A* part = q + row * queries + column;
    if (column >= queries + keys) part = v + row * keys + (column - queries - keys);
    else if (column >= queries) part = k + row * keys + (column - queries);
    A* whole = x + row * (queries + 2 * keys) + column;
    float values[V];
    load<V>(kJoin ? part : whole, values);
    store<V>(kJoin ? whole : part, values);
  }
};

template <bool kJoin>
const char* copyParts(const Launch& launch, const Tensor& x, const Tensor& q, const Tensor& k, const Tensor& v) {
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const bool vectors = vectorRows(q.shape[1], kLanes<A>) && vectorRows(k.shape[1], kLanes<A>);
    overRows<A>(launch, x.shape[0], x.shape[1],
                Parts<kJoin, A>{dataOf<A>(x), dataOf<A>(q), dataOf<A>(k), dataOf<A>(v), q.shape[1], k.shape[1]}, vectors);
  });
}

}  // namespace

const char* split_qkv(const Launch& launch) {
  const Tensor* parts = launch.outputs;
  return copyParts<false>(launch, launch.inputs[0], parts[0], parts[1], parts[2]);
}

const char* join_qkv(const Launch& launch) {
  const Tensor* parts = launch.inputs;
  return copyParts<true>(launch, launch.outputs[0], parts[0], parts[1], parts[2]);
}

}  // namespace anneal::cuda
