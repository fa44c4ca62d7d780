#include <cstring>

#include "cpu/attention/attention.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** What is wrong with the positions of T consecutive tokens in a cache of `rows`, or null. */
static const char* checkPositions(const Tensor& positions, int64_t T, int64_t rows) {
  const int32_t* at = positions.i32();
  if (T > 0 && (at[0] < 0 || at[0] + T > rows)) return "the context is longer than the cache";
  for (int64_t t = 1; t < T; t++)
    if (at[t] != at[0] + t) return "positions do not follow each other";
  return nullptr;
}

const char* cache_write(const Launch& launch) {
  const Tensor x = launch.inputs[0], cache = launch.inputs[1];
  const int64_t T = x.shape[0], K = x.shape[1], start = T > 0 ? launch.inputs[2].i32()[0] : 0;
  if (const char* problem = checkPositions(launch.inputs[2], T, cache.shape[0])) return problem;
  if (cache.type == DType::f32) {
    std::memcpy(cache.f32() + start * K, x.f32(), T * K * sizeof(float));
  } else {
    uint16_t* to = cache.bf16() + start * K;
    for (int64_t i = 0; i < T * K; i++) to[i] = toBf16(x.f32()[i]);
  }
  return nullptr;
}

const char* attention_cached(const Launch& launch) {
  const Tensor q = launch.inputs[0], keys = launch.inputs[1], values = launch.inputs[2];
  const double* a = launch.attributes;
  const int64_t start = q.shape[0] > 0 ? launch.inputs[3].i32()[0] : 0;
  if (const char* problem = checkHeads(static_cast<int>(a[0]), static_cast<int>(a[1]), static_cast<int>(a[2]))) return problem;
  if (const char* problem = checkPositions(launch.inputs[3], q.shape[0], keys.shape[0])) return problem;
  if (keys.type != values.type) return "keys and values have different types";
  attention_cached(*launch.context, q.shape[0], start, static_cast<int>(a[0]), static_cast<int>(a[1]), static_cast<int>(a[2]), static_cast<float>(a[3]),
                   static_cast<int>(a[4]), static_cast<float>(a[5]), q.f32(), keys.data, values.data, keys.type, launch.outputs[0].f32());
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
