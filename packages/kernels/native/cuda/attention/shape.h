#pragma once

#include <cstdint>

#include "dtype.h"

namespace anneal::cuda {

/**
 * Rows of packed documents: document d holds the tokens cu_seqlens[d] … cu_seqlens[d + 1] - 1, the last one ends at `tokens`.
 * Query i sees key j of its own document when i - window < j <= i; window = 0 stands for no window.
 * With `positions` instead of cu_seqlens the queries are those of one sequence at positions[0], positions[0] + 1, …, and keys and
 * values are a cache that holds the whole sequence. With `sequences` as well they are those of several sequences in that cache, and
 * `documents` counts them: see op.ts of attention_cached.
 */
struct AttentionShape {
  int tokens, heads, kv_heads, head_size;  // heads is a multiple of kv_heads; head h reads key head h / (heads / kv_heads)
  int documents;
  const int32_t* cu_seqlens;  // on the device
  const int32_t* positions;   // on the device
  const int32_t* sequences;   // on the device, four numbers each
  int cache_rows;
  float scale;
  int window;
  DType type, cache_type;  // of queries and outputs, and of keys and values
  float soft_cap = 0;      // scores become soft_cap · tanh(score / soft_cap); 0 stands for no cap
};

struct Forward {
  AttentionShape shape;
  const void *q, *k, *v;
  void* out;
  float* lse;    // [heads, tokens], or null
  int* counter;  // workspace, one number; of no use against a cache
  const float* sinks = nullptr;  // [heads]: a score of each head that joins its softmax and has no value; null: none
};

struct Backward {
  AttentionShape shape;
  const void *q, *k, *v, *out;
  const float* lse;
  const void* d_out;
  void *dq, *dk, *dv;
  float* delta;  // workspace [heads, tokens]: Σ out · d_out of each row
};

}  // namespace anneal::cuda
