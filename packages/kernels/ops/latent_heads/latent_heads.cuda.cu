#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** Sizes of one head. A row is a head of a token. */
struct Sizes {
  int64_t heads, value, shared, key;

  __host__ __device__ int64_t own() const { return key - shared; }
  __host__ __device__ int64_t up() const { return own() + value; }

  /** Whether no vector of V lies across two parts. */
  bool vectors(int V) const { return vectorRows(own(), V) && vectorRows(value, V) && vectorRows(shared, V); }
};

template <int V, typename A>
__device__ void clear(A* to) {
  const float zeros[V] = {};
  store<V>(to, zeros);
}

template <typename A>
struct KeysValues {
  const A *up, *shared;
  A *keys, *values;
  Sizes size;

  template <int V>
  __device__ void run(int64_t head, int column) const {
    const A* own = up + head * size.up();
    const bool isOwn = column < size.own();
    copyVector<V>(keys + head * size.key + column, isOwn ? own + column : shared + head / size.heads * size.shared + column - size.own());
    A* value = values + head * size.key + column;
    if (column < size.value)
      copyVector<V>(value, own + size.own() + column);
    else
      clear<V>(value);
  }
};

template <typename A>
struct UpGradient {
  const A *dkeys, *dvalues;
  A* dup;
  Sizes size;

  template <int V>
  __device__ void run(int64_t head, int column) const {
    const bool isOwn = column < size.own();
    copyVector<V>(dup + head * size.up() + column, isOwn ? dkeys + head * size.key + column : dvalues + head * size.key + column - size.own());
  }
};

/** A row is a token. */
template <typename A>
struct SharedGradient {
  const A* dkeys;
  A* dshared;
  Sizes size;

  template <int V>
  __device__ void run(int64_t token, int column) const {
    float sum[V] = {};
#pragma unroll 1
    for (int64_t head = token * size.heads; head < (token + 1) * size.heads; head++) {
      float values[V];
      load<V>(dkeys + head * size.key + size.own() + column, values);
#pragma unroll
      for (int j = 0; j < V; j++) sum[j] += values[j];
    }
    store<V>(dshared + token * size.shared + column, sum);
  }
};

/** The first `kept` of `size` values of each head; padding is the reverse. */
template <typename A>
struct Trim {
  const A* x;
  A* y;
  int64_t size, kept;

  template <int V>
  __device__ void run(int64_t head, int column) const {
    copyVector<V>(y + head * kept + column, x + head * size + column);
  }
};

template <typename A>
struct Pad {
  const A* y;
  A* x;
  int64_t size, kept;

  template <int V>
  __device__ void run(int64_t head, int column) const {
    if (column < kept)
      copyVector<V>(x + head * size + column, y + head * kept + column);
    else
      clear<V>(x + head * size + column);
  }
};

}  // namespace

const char* latent_keys_values(const Launch& launch) {
  const Tensor up = launch.inputs[0], shared = launch.inputs[1], keys = launch.outputs[0];
  const int64_t heads = static_cast<int64_t>(launch.attributes[0]);
  const Sizes size{heads, static_cast<int64_t>(launch.attributes[1]), shared.shape[1], keys.shape[1] / heads};
  return withType(up.type, [&](auto zero) {
    using A = decltype(zero);
    const KeysValues<A> of{dataOf<A>(up), dataOf<A>(shared), dataOf<A>(keys), dataOf<A>(launch.outputs[1]), size};
    overRows<A>(launch, up.shape[0] * heads, size.key, of, size.vectors(kLanes<A>));
  });
}

const char* latent_keys_values_backward(const Launch& launch) {
  const Tensor dkeys = launch.inputs[0];
  const int64_t tokens = dkeys.shape[0], heads = static_cast<int64_t>(launch.attributes[0]);
  const Sizes size{heads, static_cast<int64_t>(launch.attributes[1]), static_cast<int64_t>(launch.attributes[2]), dkeys.shape[1] / heads};
  return withType(dkeys.type, [&](auto zero) {
    using A = decltype(zero);
    const A* keys = dataOf<A>(dkeys);
    const bool vectors = size.vectors(kLanes<A>);
    const UpGradient<A> up{keys, dataOf<A>(launch.inputs[1]), dataOf<A>(launch.outputs[0]), size};
    overRows<A>(launch, tokens * heads, size.up(), up, vectors);
    overRows<A>(launch, tokens, size.shared, SharedGradient<A>{keys, dataOf<A>(launch.outputs[1]), size}, vectors);
  });
}

const char* trim_heads(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  const int64_t size = static_cast<int64_t>(launch.attributes[0]), kept = static_cast<int64_t>(launch.attributes[1]);
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Trim<A> of{dataOf<A>(x), dataOf<A>(launch.outputs[0]), size, kept};
    overRows<A>(launch, x.elements() / size, kept, of, vectorRows(size, kLanes<A>));
  });
}

const char* pad_heads(const Launch& launch) {
  const Tensor y = launch.inputs[0];
  const int64_t size = static_cast<int64_t>(launch.attributes[0]), kept = static_cast<int64_t>(launch.attributes[1]);
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    const Pad<A> of{dataOf<A>(y), dataOf<A>(launch.outputs[0]), size, kept};
    overRows<A>(launch, y.elements() / kept, size, of, vectorRows(kept, kLanes<A>));
  });
}

}  // namespace anneal::cuda
