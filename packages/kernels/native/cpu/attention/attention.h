#pragma once

#include <cstdint>

#include "../../context.h"
#include "../../dtype.h"
#include "sequences.h"

namespace anneal::ANNEAL_ISA {

/** Heads whose blocks, maxima and sums fit into one thread's scratch. */
constexpr int kMaxHeadSize = 512;
constexpr int kMaxHeads = 512;

/** What is wrong with these heads, or null. */
inline const char* checkHeads(int heads, int kv_heads, int head_size) {
  if (heads < 1 || kv_heads < 1 || head_size < 1 || heads % kv_heads != 0) return "heads are not a multiple of key heads";
  return heads > kMaxHeads || head_size > kMaxHeadSize ? "too many or too large heads" : nullptr;
}

/**
 * Rows of packed documents: document d holds the tokens cu_seqlens[d] … cu_seqlens[d + 1] - 1, the last one ends at `tokens`.
 * Query i sees key j of its own document when i - window < j <= i; window = 0 stands for no window.
 */
struct AttentionShape {
  int64_t tokens;
  int heads, kv_heads, head_size;  // heads is a multiple of kv_heads; head h reads key head h / (heads / kv_heads)
  int64_t documents;
  const int32_t* cu_seqlens;
  float scale;
  int window;
  DType compute = DType::f32;  // bf16: the operands of every product are rounded to it, sums and softmax stay float32
  float soft_cap = 0;          // scores become soft_cap · tanh(score / soft_cap); 0 stands for no cap
  const float* sinks = nullptr;  // [heads]: a score of each head that joins its softmax and has no value; null: none
};

/** out[T,H,C] = softmax(scale · q · kᵀ) · v, with lse[H,T] = log of the sum of e^score. q[T,H,C], k[T,K,C], v[T,K,C]. Dao 2023. */
void attention_forward(Context& context, const AttentionShape& shape, const float* q, const float* k, const float* v,
                       float* out, float* lse);

/** Overwrites dq[T,H,C], dk[T,K,C] and dv[T,K,C]; `out` and `lse` are what attention_forward gave, sinks and all. */
void attention_backward(Context& context, const AttentionShape& shape, const float* q, const float* k, const float* v,
                        const float* out, const float* lse, const float* d_out, float* dq, float* dk, float* dv);

/**
 * The queries q[T,H,C] of one sequence at positions start … start + T - 1 against a cache[slot][kv_heads][C] of float32 or
 * bf16 whose slots 0 … start + T - 1 are filled. out[T,H,C].
 */
void attention_cached(Context& context, int64_t tokens, int64_t start, int heads, int kv_heads, int head_size, float scale,
                      int window, float soft_cap, const float* q, const void* k_cache, const void* v_cache, DType cache_type, float* out,
                      const float* sinks = nullptr);

/** As attention_cached, for those of several sequences that have one token in the call. q[T,H,C] and out[T,H,C] are of all tokens. */
void attention_cached_each(Context& context, const CachedSequences& sequences, int heads, int kv_heads, int head_size, float scale,
                           int window, float soft_cap, const float* q, const void* k_cache, const void* v_cache, DType cache_type, float* out,
                           const float* sinks = nullptr);

}  // namespace anneal::ANNEAL_ISA
