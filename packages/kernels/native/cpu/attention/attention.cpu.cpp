#include "attention.h"

#include "backward.h"
#include "decode.h"
#include "forward.h"

namespace anneal::ANNEAL_ISA {
namespace {

struct Forward {
  const Context* context;
  const AttentionShape* shape;
  const float *q, *k, *v;
  float *out, *lse;
};

/** One block of tokens, whose documents follow each other, for one key head. The last blocks, which see most keys, go first. */
template <Cells cells>
void forwardTask(void* argument, int64_t index, int thread) {
  const Forward& call = *static_cast<const Forward*>(argument);
  const TilesInUse<cells> in_use;
  const AttentionShape& shape = *call.shape;
  const int group = shape.heads / shape.kv_heads, size = shape.head_size;
  const int64_t blocks = (shape.tokens + kQueryBlock - 1) / kQueryBlock;
  const int64_t kv_head = index % shape.kv_heads;
  const int64_t begin = (blocks - 1 - index / shape.kv_heads) * kQueryBlock;
  const int64_t stride = int64_t{shape.heads} * size, key_stride = int64_t{shape.kv_heads} * size;
  forEachSegment(shape, begin, smaller(begin + kQueryBlock, shape.tokens), [&](const Segment& segment) {
    const int64_t query = segment.first * stride + kv_head * group * size;
    const int64_t key = segment.document_first * key_stride + kv_head * size;
    const QueryBlock<float> block{call.q + query, call.out + query, stride, segment.end - segment.first,
                                  segment.first - segment.document_first, group, size, call.k + key, call.v + key, key_stride,
                                  shape.scale, shape.window, shape.soft_cap, shape.sinks ? shape.sinks + kv_head * group : nullptr};
    attend<cells>(block, scratchOf(*call.context, thread), call.lse + kv_head * group * shape.tokens + segment.first,
                  shape.tokens);
  });
}

template <Cells cells>
void backwardTask(void* argument, int64_t index, int thread) {
  const Backward& call = *static_cast<const Backward*>(argument);
  const TilesInUse<cells> in_use;
  const Tile tile = tileOf(*call.shape, call.round, index / call.shape->kv_heads);
  tileGradients<cells>(call, tile, index % call.shape->kv_heads, scratchOf(*call.context, thread));
}

struct Cached {
  const Context* context;
  int64_t tokens, start;
  int heads, kv_heads, head_size;
  float scale;
  int window;
  float soft_cap;
  const float* q;
  const void *k, *v;
  float* out;
  const float* sinks;
};

template <typename Element>
void cachedTask(void* argument, int64_t index, int thread) {
  const Cached& call = *static_cast<const Cached*>(argument);
  const int group = call.heads / call.kv_heads, size = call.head_size;
  const int64_t blocks = (call.tokens + kQueryBlock - 1) / kQueryBlock;
  const int64_t kv_head = index % call.kv_heads;
  const int64_t first = (blocks - 1 - index / call.kv_heads) * kQueryBlock;
  const int64_t stride = int64_t{call.heads} * size;
  const int64_t query = first * stride + kv_head * group * size;
  const QueryBlock<Element> block{call.q + query, call.out + query, stride, smaller(call.tokens - first, kQueryBlock),
                                  call.start + first, group, size, static_cast<const Element*>(call.k) + kv_head * size,
                                  static_cast<const Element*>(call.v) + kv_head * size, int64_t{call.kv_heads} * size,
                                  call.scale, call.window, call.soft_cap, call.sinks ? call.sinks + kv_head * group : nullptr};
  attend<Cells::exact>(block, scratchOf(*call.context, thread), nullptr, 0);
}

}  // namespace

void attention_forward(Context& context, const AttentionShape& shape, const float* q, const float* k, const float* v,
                       float* out, float* lse) {
  Forward call{&context, &shape, q, k, v, out, lse};
  const int64_t tasks = (shape.tokens + kQueryBlock - 1) / kQueryBlock * shape.kv_heads;
  context.pool->run(tasks, shape.compute == DType::bf16 ? forwardTask<kRoundedBlockCells> : forwardTask<Cells::exact>, &call);
}

void attention_backward(Context& context, const AttentionShape& shape, const float* q, const float* k, const float* v,
                        const float* out, const float* lse, const float* d_out, float* dq, float* dk, float* dv) {
  const auto task = shape.compute == DType::bf16 ? backwardTask<kRoundedBlockCells> : backwardTask<Cells::exact>;
  Backward call{&context, &shape, q, k, v, out, lse, d_out, dq, dk, dv, 0};
  for (;; call.round++) {
    int64_t tiles = 0;
    for (int64_t document = 0; document < shape.documents; document++) tiles += tilesOf(shape, document, call.round);
    if (tiles == 0) break;
    context.pool->run(tiles * shape.kv_heads, task, &call);
  }
}

void attention_cached(Context& context, int64_t tokens, int64_t start, int heads, int kv_heads, int head_size, float scale,
                      int window, float soft_cap, const float* q, const void* k_cache, const void* v_cache, DType cache_type, float* out,
                      const float* sinks) {
  if (tokens == 1) {
    const int64_t first_key = window > 0 ? larger(start - window + 1, 0) : 0;
    return decodeOne(context, {heads, kv_heads, head_size, first_key, start + 1, 0, 0, scale, soft_cap, q, k_cache, v_cache, cache_type,
                               nullptr, nullptr, nullptr, sinks}, out);
  }
  Cached call{&context, tokens, start, heads, kv_heads, head_size, scale, window, soft_cap, q, k_cache, v_cache, out, sinks};
  const int64_t tasks = (tokens + kQueryBlock - 1) / kQueryBlock * kv_heads;
  context.pool->run(tasks, cache_type == DType::bf16 ? cachedTask<uint16_t> : cachedTask<float>, &call);
}

void attention_cached_each(Context& context, const CachedSequences& sequences, int heads, int kv_heads, int head_size, float scale,
                           int window, float soft_cap, const float* q, const void* k_cache, const void* v_cache, DType cache_type, float* out,
                           const float* sinks) {
  const Decode shared{heads, kv_heads, head_size, 0, 0, 0, 0, scale, soft_cap, q, k_cache, v_cache, cache_type, nullptr, nullptr, nullptr, sinks};
  DecodeEach call{shared, &sequences, window, out};
  context.pool->run(sequences.count() * kv_heads, decodeEachTask, &call);
}

}  // namespace anneal::ANNEAL_ISA
