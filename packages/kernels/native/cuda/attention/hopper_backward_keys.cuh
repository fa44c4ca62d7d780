#pragma once

#include "hopper.cuh"
#include "hopper_launch.h"
#include "tiles.h"
#include "wgmma.cuh"

// dk and dv of 128 keys, 64 a warpgroup, over the queries that see them; a third warpgroup loads. See mma_backward_keys.cu for the formulas.

namespace anneal::cuda {
namespace keys_pass {

template <int kSize_, int kQueries_, int kStages_, bool kPipelined_>
struct Config {
  static constexpr int kSize = kSize_, kQueries = kQueries_, kStages = kStages_, kRows = 128, kThreads = 384, kConsumerWarps = 8;
  static constexpr bool kPipelined = kPipelined_;
  static constexpr int kKeyBytes = kRows * kSize * 2, kQueryBytes = kQueries * kSize * 2;
  static constexpr int kRowValues = 2 * kKeyBytes + kStages * 2 * kQueryBytes;  // lse and delta of each stage's queries
  static constexpr int kBarriers = kRowValues + kStages * kQueries * 8;
  static constexpr int kSharedBytes = kBarriers + 128 + 1024;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

template <typename C>
struct Shared {
  uint32_t base;
  __device__ uint32_t k() const { return base; }
  __device__ uint32_t v() const { return base + C::kKeyBytes; }
  __device__ uint32_t q(int stage) const { return base + 2 * C::kKeyBytes + stage * 2 * C::kQueryBytes; }
  __device__ uint32_t dOut(int stage) const { return q(stage) + C::kQueryBytes; }
  __device__ uint32_t lse(int stage) const { return base + C::kRowValues + stage * C::kQueries * 8; }
  __device__ uint32_t delta(int stage) const { return lse(stage) + C::kQueries * 4; }
  __device__ uint32_t keysFull() const { return base + C::kBarriers; }
  __device__ uint32_t full(int stage) const { return keysFull() + 8 + stage * 16; }
  __device__ uint32_t empty(int stage) const { return keysFull() + 16 + stage * 16; }
};

/** The walk over blocks of queries, for each head of the group: producer and consumers make the same. */
template <typename C>
struct Walk {
  int first_query, query_end, head, last_head, query;
  __device__ Walk(const AttentionShape& s, const Tile& tile, int kv_head) {
    const int group = s.heads / s.kv_heads;
    first_query = query = tile.begin;
    query_end = s.window > 0 ? min(tile.document_end, tile.end - 1 + s.window) : tile.document_end;
    head = kv_head * group, last_head = head + group - 1;
  }
  __device__ bool done() const { return head > last_head; }
  __device__ void advance() {
    query += C::kQueries;
    if (query >= query_end) query = first_query, head++;
  }
};

/** One warp: a lane starts TMA, all copy lse and delta, whose rows begin anywhere. */
template <typename C>
__device__ void produce(const BackwardArguments& a, const Shared<C>& shared, const Tile& tile, int kv_head) {
  constexpr int kColumnTiles = C::kSize / 64;
  const int lane = threadIdx.x;
  if (lane == 0) {
    arriveExpecting(shared.keysFull(), 2 * C::kKeyBytes);
    loadTile(shared.k(), a.k, tile.begin, kv_head * kColumnTiles, shared.keysFull());
    loadTile(shared.v(), a.v, tile.begin, kv_head * kColumnTiles, shared.keysFull());
  }
  Ring<C::kStages> ring;
  for (Walk<C> walk(a.p.shape, tile, kv_head); !walk.done(); walk.advance(), ring.advance()) {
    const int stage = ring.stage;
    wait(shared.empty(stage), ring.parity ^ 1);
    if (lane == 0) {
      arriveExpecting(shared.full(stage), 2 * C::kQueryBytes);
      loadTile(shared.q(stage), a.q, walk.query, walk.head * kColumnTiles, shared.full(stage));
      loadTile(shared.dOut(stage), a.d_out, walk.query, walk.head * kColumnTiles, shared.full(stage));
    }
#pragma unroll
    for (int i = 0; i < C::kQueries; i += 32) {
      const int row = walk.query + i + lane;
      const int64_t at = int64_t{walk.head} * a.p.shape.tokens + row;
      const int bytes = row < walk.query_end ? 4 : 0;
      asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared.lse(stage) + (i + lane) * 4), "l"(a.p.lse + at), "r"(bytes)
                   : "memory");
      asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(shared.delta(stage) + (i + lane) * 4), "l"(a.p.delta + at), "r"(bytes)
                   : "memory");
    }
    asm volatile("cp.async.mbarrier.arrive.noinc.shared::cta.b64 [%0];" ::"r"(shared.full(stage)) : "memory");
  }
}

__device__ inline float2 loadPair(uint32_t address) {
  float2 pair;
  asm volatile("ld.shared.v2.f32 {%0, %1}, [%2];" : "=f"(pair.x), "=f"(pair.y) : "r"(address) : "memory");
  return pair;
}

template <typename C>
__device__ void consume(const BackwardArguments& a, const Shared<C>& shared, const Tile& tile, int kv_head) {
  constexpr int kSize = C::kSize, kQueries = C::kQueries;
  const AttentionShape& s = a.p.shape;
  const int group = threadIdx.x / 128 - 1, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  const int group_key = tile.begin + group * 64, key = group_key + warp * 16;
  const uint32_t k = shared.k() + group * 64 * 128, v = shared.v() + group * 64 * 128, pair_offset = lane % 4 * 8;
  const float factor = s.scale * kLog2E;
  float dk[kSize / 8][4] = {}, dv[kSize / 8][4] = {}, weights[kQueries / 8][4], d_weights[kQueries / 8][4];
  uint32_t weight_rows[kQueries / 16][4], d_score_rows[kQueries / 16][4];

  const auto multiplyScores = [&](int stage) {
    beginProducts();
    multiplyTransposedTiles<kSize, C::kRows, kQueries, kQueries>(weights, k, shared.q(stage));
    commitProducts();
    multiplyTransposedTiles<kSize, C::kRows, kQueries, kQueries>(d_weights, v, shared.dOut(stage));
    commitProducts();
  };
  const auto weigh = [&](int stage, int query, int query_end) {
    pin(weights);
#pragma unroll
    for (int n = 0; n < kQueries / 8; n++) {
      const float2 lse = loadPair(shared.lse(stage) + n * 32 + pair_offset);
#pragma unroll
      for (int i = 0; i < 4; i++) weights[n][i] = exp2Fast(fmaf(weights[n][i], factor, (i % 2 ? lse.y : lse.x) * -kLog2E));
    }
    if (query >= group_key + 63 && query + kQueries <= query_end && (s.window == 0 || query + kQueries - 1 - group_key < s.window)) return;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int j = key + half * 8 + lane / 4, offset = query + lane % 4 * 2;
      // Queries from the key's own up to the last whose window holds it.
      const int first = j - offset, last = (s.window > 0 ? min(query_end, j + s.window) : query_end) - offset;
#pragma unroll
      for (int n = 0; n < kQueries / 8; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++)
          if (n * 8 + i < first || n * 8 + i >= last) weights[n][2 * half + i] = 0;
      }
    }
  };
  const auto differentiate = [&](int stage) {
    pin(d_weights);
#pragma unroll
    for (int n = 0; n < kQueries / 8; n++) {
      const float2 delta = loadPair(shared.delta(stage) + n * 32 + pair_offset);
#pragma unroll
      for (int i = 0; i < 4; i++) d_weights[n][i] = weights[n][i] * (d_weights[n][i] - (i % 2 ? delta.y : delta.x));
    }
  };

  Walk<C> walk(s, tile, kv_head);
  Ring<C::kStages> ring, last;
  wait(shared.keysFull(), 0);
  if constexpr (!C::kPipelined) {
    for (; !walk.done(); walk.advance(), ring.advance()) {
      const int stage = ring.stage;
      wait(shared.full(stage), ring.parity);
      multiplyScores(stage);
      waitForProducts<1>();
      weigh(stage, walk.query, walk.query_end);
      packWeights<kQueries>(weight_rows, weights);
      pin(weight_rows), pin(dv);
      beginProducts();
      multiplyWeightsTile<kSize, kQueries>(dv, weight_rows, shared.dOut(stage));
      commitProducts();
      waitForProducts<1>();
      differentiate(stage);
      packWeights<kQueries>(d_score_rows, d_weights);
      pin(d_score_rows), pin(dk);
      beginProducts();
      multiplyWeightsTile<kSize, kQueries>(dk, d_score_rows, shared.q(stage));
      commitProducts();
      waitForProducts<0>();
      pin(dk), pin(dv), pin(weight_rows), pin(d_score_rows);
      if (lane == 0) arrive(shared.empty(stage));
    }
  } else {
    const auto multiplyGradients = [&](int stage) {
      multiplyWeightsTile<kSize, kQueries>(dv, weight_rows, shared.dOut(stage));
      multiplyWeightsTile<kSize, kQueries>(dk, d_score_rows, shared.q(stage));
      commitProducts();
    };
    wait(shared.full(0), 0);
    multiplyScores(0);
    waitForProducts<1>();
    weigh(0, walk.query, walk.query_end);
    waitForProducts<0>();
    differentiate(0);
    packWeights<kQueries>(weight_rows, weights);
    packWeights<kQueries>(d_score_rows, d_weights);
    walk.advance(), ring.advance();
    for (; !walk.done(); walk.advance(), ring.advance(), last.advance()) {
      const int stage = ring.stage;
      wait(shared.full(stage), ring.parity);
      pin(weight_rows), pin(d_score_rows), pin(dk), pin(dv);
      multiplyScores(stage);
      multiplyGradients(last.stage);
      waitForProducts<2>();
      weigh(stage, walk.query, walk.query_end);
      waitForProducts<1>();
      differentiate(stage);
      waitForProducts<0>();
      pin(dk), pin(dv), pin(weight_rows), pin(d_score_rows);
      if (lane == 0) arrive(shared.empty(last.stage));
      packWeights<kQueries>(weight_rows, weights);
      packWeights<kQueries>(d_score_rows, d_weights);
    }
    pin(weight_rows), pin(d_score_rows), pin(dk), pin(dv);
    beginProducts();
    multiplyGradients(last.stage);
    waitForProducts<0>();
    pin(dk), pin(dv);
  }
  const float scale[2] = {s.scale, s.scale}, one[2] = {1, 1};
  storeSums<kSize>(dk, scale, static_cast<bf16*>(a.p.dk) + kv_head * kSize, s.kv_heads * kSize, key, tile.end);
  storeSums<kSize>(dv, one, static_cast<bf16*>(a.p.dv) + kv_head * kSize, s.kv_heads * kSize, key, tile.end);
}

/** What a block does for tile `slot` of a key head. */
template <typename C>
__device__ void run(const BackwardArguments& a, uint32_t memory, int kv_head, int slot) {
  const Tile tile = tileOf(slot, a.p.shape, C::kRows);
  if (tile.begin >= tile.end) return;
  const Shared<C> shared{memory};
  if (threadIdx.x == 0) {
    initBarrier(shared.keysFull(), 1);
    for (int stage = 0; stage < C::kStages; stage++) initBarrier(shared.full(stage), 33), initBarrier(shared.empty(stage), C::kConsumerWarps);
    publishBarriers();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    giveRegisters<24>();
    if (threadIdx.x < 32) produce<C>(a, shared, tile, kv_head);
  } else {
    takeRegisters<240>();
    consume<C>(a, shared, tile, kv_head);
  }
}

#endif

}  // namespace keys_pass
}  // namespace anneal::cuda
