#include <cstring>

#include "cpu/attention/attention.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* cache_write(const Launch& launch) {
  const Tensor x = launch.inputs[0], cache = launch.inputs[1];
  const int64_t K = x.shape[1];
  const CachedSequences sequences(launch.inputs[2], launch.inputs[3], cache.shape[0]);
  if (const char* problem = sequences.check()) return problem;
  for (int64_t i = 0; i < sequences.count(); i++) {
    const CachedSequence s = sequences.at(i);
    const float* from = x.f32() + s.first * K;
    const int64_t to = s.rowOf(s.start) * K, count = s.tokens * K;  // several tokens lie in consecutive rows
    if (cache.type == DType::f32) {
      std::memcpy(cache.f32() + to, from, count * sizeof(float));
    } else {
      for (int64_t j = 0; j < count; j++) cache.bf16()[to + j] = toBf16(from[j]);
    }
  }
  return nullptr;
}

const char* attention_cached(const Launch& launch) {
  const Tensor q = launch.inputs[0], keys = launch.inputs[1], values = launch.inputs[2];
  const double* a = launch.attributes;
  const int heads = static_cast<int>(a[0]), kv_heads = static_cast<int>(a[1]), head_size = static_cast<int>(a[2]), window = static_cast<int>(a[4]);
  const float scale = static_cast<float>(a[3]), soft_cap = static_cast<float>(a[5]);
  const CachedSequences sequences(launch.inputs[3], launch.inputs[4], keys.shape[0]);
  if (const char* problem = checkHeads(heads, kv_heads, head_size)) return problem;
  if (const char* problem = sequences.check()) return problem;
  if (keys.type != values.type) return "keys and values have different types";
  Context& context = *launch.context;
  const float* sinks = launch.inputs[5].f32();  // may be absent
  float* out = launch.outputs[0].f32();
  bool has_single = false;
  for (int64_t i = 0; i < sequences.count(); i++) {
    const CachedSequence s = sequences.at(i);
    if (s.tokens == 1 && sequences.several()) {
      has_single = true;
      continue;
    }
    const int64_t at = s.first * heads * head_size;
    const int64_t skipped = s.prompt_row * keys.shape[1] * (keys.type == DType::bf16 ? 2 : 4);
    attention_cached(context, s.tokens, s.start, heads, kv_heads, head_size, scale, window, soft_cap, q.f32() + at,
                     keys.data + skipped, values.data + skipped, keys.type, out + at, sinks);
  }
  if (has_single) {
    attention_cached_each(context, sequences, heads, kv_heads, head_size, scale, window, soft_cap, q.f32(), keys.data, values.data, keys.type, out, sinks);
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
