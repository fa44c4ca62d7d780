#pragma once

#include "cuda/types.cuh"

namespace anneal::cuda {

/** Elements in 16 bytes: what one thread moves at a time. */
template <typename A>
constexpr int kLanes = 16 / static_cast<int>(sizeof(A));

namespace detail {

template <int bytes>
struct Words;
template <>
struct Words<8> {
  using Type = uint2;
};
template <>
struct Words<16> {
  using Type = uint4;
};

/** Elements a single access moves when a thread holds V of them. */
template <int V, typename A>
constexpr int kPack = V < kLanes<A> ? V : kLanes<A>;

}  // namespace detail

__device__ inline float toFloat(float value) { return value; }
__device__ inline float toFloat(Bf16 value) { return __bfloat162float(value); }

/** To nearest even. */
template <typename A>
__device__ A fromFloat(float value) {
  if constexpr (sizeof(A) == 4)
    return value;
  else
    return __float2bfloat16_rn(value);
}

/** V elements as float32; of V > 1 the address is a multiple of the smaller of 16 bytes and their size. */
template <int V, typename A>
__device__ void load(const A* from, float (&to)[V]) {
  if constexpr (V == 1) {
    to[0] = toFloat(*from);
  } else {
    constexpr int kPack = detail::kPack<V, A>;
    using Words = typename detail::Words<kPack * sizeof(A)>::Type;
#pragma unroll
    for (int first = 0; first < V; first += kPack) {
      const Words words = *reinterpret_cast<const Words*>(from + first);
      const uint32_t* word = reinterpret_cast<const uint32_t*>(&words);
#pragma unroll
      for (int i = 0; i < kPack; i++) {
        if constexpr (sizeof(A) == 4)
          to[first + i] = __uint_as_float(word[i]);
        else
          to[first + i] = __uint_as_float(i % 2 ? word[i / 2] & 0xffff0000u : word[i / 2] << 16);
      }
    }
  }
}

/** As load; rounds once. */
template <int V, typename A>
__device__ void store(A* to, const float (&from)[V]) {
  if constexpr (V == 1) {
    *to = fromFloat<A>(from[0]);
  } else {
    constexpr int kPack = detail::kPack<V, A>;
    using Words = typename detail::Words<kPack * sizeof(A)>::Type;
#pragma unroll
    for (int first = 0; first < V; first += kPack) {
      Words words;
      uint32_t* word = reinterpret_cast<uint32_t*>(&words);
      if constexpr (sizeof(A) == 4) {
#pragma unroll
        for (int i = 0; i < kPack; i++) word[i] = __float_as_uint(from[first + i]);
      } else {
#pragma unroll
        for (int i = 0; i < kPack; i += 2) {
          const __nv_bfloat162 pair = __floats2bfloat162_rn(from[first + i], from[first + i + 1]);
          word[i / 2] = *reinterpret_cast<const uint32_t*>(&pair);
        }
      }
      *reinterpret_cast<Words*>(to + first) = words;
    }
  }
}

template <int V, typename A>
__device__ void copyVector(A* to, const A* from) {
  float values[V];
  load<V>(from, values);
  store<V>(to, values);
}

/** Whether rows of `width` elements can be moved in vectors of V wherever they begin. */
inline bool vectorRows(int64_t width, int V) { return width % V == 0; }

}  // namespace anneal::cuda
