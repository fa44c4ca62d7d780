#pragma once

#include "hopper.cuh"
#include "hopper_launch.h"
#include "tiles.h"
#include "wgmma.cuh"

// dq of 128 queries of one head, 64 a warpgroup, over the keys that they see; a third warpgroup loads. See mma_backward_queries.cu for the formulas.

namespace anneal::cuda {
namespace queries_pass {

template <int kSize_, int kKeys_, int kStages_, bool kPipelined_>
struct Config {
  static constexpr int kSize = kSize_, kKeys = kKeys_, kStages = kStages_, kRows = 128, kThreads = 384, kConsumerWarps = 8;
  static constexpr bool kPipelined = kPipelined_;
  static constexpr int kQueryBytes = kRows * kSize * 2, kKeyBytes = kKeys * kSize * 2;
  static constexpr int kBarriers = 2 * kQueryBytes + kStages * 2 * kKeyBytes;
  static constexpr int kSharedBytes = kBarriers + 128 + 1024;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

template <typename C>
struct Shared {
  uint32_t base;
  /** The 64 rows of a warpgroup are a tile of their own. */
  __device__ uint32_t q(int group) const { return base + group * (C::kQueryBytes / 2); }
  __device__ uint32_t dOut(int group) const { return q(group) + C::kQueryBytes; }
  __device__ uint32_t k(int stage) const { return base + 2 * C::kQueryBytes + stage * 2 * C::kKeyBytes; }
  __device__ uint32_t v(int stage) const { return k(stage) + C::kKeyBytes; }
  __device__ uint32_t queriesFull() const { return base + C::kBarriers; }
  __device__ uint32_t full(int stage) const { return queriesFull() + 8 + stage * 16; }
  __device__ uint32_t empty(int stage) const { return queriesFull() + 16 + stage * 16; }
};

template <typename C>
__device__ void produce(const BackwardArguments& a, const Shared<C>& shared, const Tile& tile, int head, int kv_head, int key_begin) {
  constexpr int kColumnTiles = C::kSize / 64;
  arriveExpecting(shared.queriesFull(), 2 * C::kQueryBytes);
  for (int group = 0; group < 2; group++) {
    loadTile(shared.q(group), a.q, tile.begin + group * 64, head * kColumnTiles, shared.queriesFull());
    loadTile(shared.dOut(group), a.d_out, tile.begin + group * 64, head * kColumnTiles, shared.queriesFull());
  }
  Ring<C::kStages> ring;
  for (int key = key_begin; key < tile.end; key += C::kKeys, ring.advance()) {
    wait(shared.empty(ring.stage), ring.parity ^ 1);
    arriveExpecting(shared.full(ring.stage), 2 * C::kKeyBytes);
    loadTile(shared.k(ring.stage), a.k, key, kv_head * kColumnTiles, shared.full(ring.stage));
    loadTile(shared.v(ring.stage), a.v, key, kv_head * kColumnTiles, shared.full(ring.stage));
  }
}

template <typename C>
__device__ void consume(const BackwardArguments& a, const Shared<C>& shared, const Tile& tile, int head, int key_begin) {
  constexpr int kSize = C::kSize, kKeys = C::kKeys;
  const AttentionShape& s = a.p.shape;
  const int group = threadIdx.x / 128 - 1, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  const int group_row = tile.begin + group * 64, row = group_row + warp * 16;
  const uint32_t q = shared.q(group), d_out = shared.dOut(group);
  const float factor = s.scale * kLog2E;
  float lse[2], delta[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int r = row + half * 8 + lane / 4;
    const int64_t at = int64_t{head} * s.tokens + r;
    lse[half] = r < tile.end ? a.p.lse[at] * kLog2E : INFINITY;
    delta[half] = r < tile.end ? a.p.delta[at] : 0;
  }
  float dq[kSize / 8][4] = {}, scores[kKeys / 8][4], d_weights[kKeys / 8][4];
  uint32_t d_scores[kKeys / 16][4];

  const auto multiplyScores = [&](int stage) {
    beginProducts();
    multiplyTransposedTiles<kSize, 64, kKeys, kKeys>(scores, q, shared.k(stage));
    commitProducts();
    multiplyTransposedTiles<kSize, 64, kKeys, kKeys>(d_weights, d_out, shared.v(stage));
    commitProducts();
  };
  const auto weigh = [&](int key) {
    pin(scores);
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) scores[n][i] = exp2Fast(fmaf(scores[n][i], factor, -lse[i / 2]));
    }
    if (key + kKeys - 1 <= group_row && key >= firstKey(tile, group_row + 63, s.window)) return;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int r = row + half * 8 + lane / 4, last = r - key - lane % 4 * 2, first = firstKey(tile, r, s.window) - key - lane % 4 * 2;
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
        for (int i = 0; i < 2; i++)
          if (n * 8 + i > last || n * 8 + i < first) scores[n][2 * half + i] = 0;
      }
    }
  };
  const auto differentiate = [&] {
    pin(d_weights);
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
      for (int i = 0; i < 4; i++) scores[n][i] *= d_weights[n][i] - delta[i / 2];
    }
  };

  wait(shared.queriesFull(), 0);
  if constexpr (!C::kPipelined) {
    Ring<C::kStages> ring;
    for (int key = key_begin; key < tile.end; key += kKeys, ring.advance()) {
      wait(shared.full(ring.stage), ring.parity);
      multiplyScores(ring.stage);
      waitForProducts<1>();
      weigh(key);
      waitForProducts<0>();
      differentiate();
      packWeights<kKeys>(d_scores, scores);
      pin(d_scores), pin(dq);
      beginProducts();
      multiplyWeightsTile<kSize, kKeys>(dq, d_scores, shared.k(ring.stage));
      commitProducts();
      waitForProducts<0>();
      pin(dq), pin(d_scores);
      if (lane == 0) arrive(shared.empty(ring.stage));
    }
  } else {
    Ring<C::kStages> ring, last;
    wait(shared.full(0), 0);
    multiplyScores(0);
    waitForProducts<1>();
    weigh(key_begin);
    waitForProducts<0>();
    differentiate();
    packWeights<kKeys>(d_scores, scores);
    ring.advance();
    for (int key = key_begin + kKeys; key < tile.end; key += kKeys, ring.advance(), last.advance()) {
      wait(shared.full(ring.stage), ring.parity);
      pin(d_scores), pin(dq);
      multiplyScores(ring.stage);
      multiplyWeightsTile<kSize, kKeys>(dq, d_scores, shared.k(last.stage));
      commitProducts();
      waitForProducts<2>();
      weigh(key);
      waitForProducts<1>();
      differentiate();
      waitForProducts<0>();
      pin(dq), pin(d_scores);
      if (lane == 0) arrive(shared.empty(last.stage));
      packWeights<kKeys>(d_scores, scores);
    }
    pin(d_scores), pin(dq);
    beginProducts();
    multiplyWeightsTile<kSize, kKeys>(dq, d_scores, shared.k(last.stage));
    commitProducts();
    waitForProducts<0>();
    pin(dq);
  }
  const float scale[2] = {s.scale, s.scale};
  storeSums<kSize>(dq, scale, static_cast<bf16*>(a.p.dq) + head * kSize, s.heads * kSize, row, tile.end);
}

/** What a block does for tile `slot` of a head. */
template <typename C>
__device__ void run(const BackwardArguments& a, uint32_t memory, int head, int slot) {
  const AttentionShape& s = a.p.shape;
  const int kv_head = head / (s.heads / s.kv_heads);
  const Tile tile = tileOf(slot, s, C::kRows);
  if (tile.begin >= tile.end) return;
  const int first = firstKey(tile, tile.begin, s.window), key_begin = first - (first - tile.key_begin) % C::kKeys;
  const Shared<C> shared{memory};
  if (threadIdx.x == 0) {
    initBarrier(shared.queriesFull(), 1);
    for (int stage = 0; stage < C::kStages; stage++) initBarrier(shared.full(stage), 1), initBarrier(shared.empty(stage), C::kConsumerWarps);
    publishBarriers();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    giveRegisters<24>();
    if (threadIdx.x == 0) produce<C>(a, shared, tile, head, kv_head, key_begin);
  } else {
    takeRegisters<240>();
    consume<C>(a, shared, tile, head, key_begin);
  }
}

#endif

}  // namespace queries_pass
}  // namespace anneal::cuda
