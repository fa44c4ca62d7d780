#include "attention.h"
#include "hopper.cuh"
#include "hopper_launch.h"
#include "tiles.h"
#include "wgmma.cuh"

// As FlashAttention-3 (Shah et al. 2024): one warpgroup loads tiles by TMA, two own 64 queries each. While a block of scores becomes weights, the
// tensor cores multiply the weights of the block before with its values.

namespace anneal::cuda {
namespace {

struct Arguments {
  CUtensorMap q, k, v;
  Forward p;
};

template <int kSize_>
struct Config {
  static constexpr int kSize = kSize_, kRows = 128, kKeys = 128, kStages = kSize == 64 ? 4 : 2, kThreads = 384, kConsumerWarps = 8;
  static constexpr int kTileBytes = 128 * kSize * 2;
  static constexpr int kBarriers = (1 + 2 * kStages) * kTileBytes;
  static constexpr int kSharedBytes = kBarriers + 256 + 1024;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

template <typename C>
struct Shared {
  uint32_t base;
  __device__ uint32_t q() const { return base; }
  __device__ uint32_t k(int stage) const { return base + (1 + stage) * C::kTileBytes; }
  __device__ uint32_t v(int stage) const { return base + (1 + C::kStages + stage) * C::kTileBytes; }
  __device__ uint32_t qFull() const { return base + C::kBarriers; }
  __device__ uint32_t kFull(int stage) const { return qFull() + 8 + stage * 32; }
  __device__ uint32_t vFull(int stage) const { return qFull() + 16 + stage * 32; }
  __device__ uint32_t kEmpty(int stage) const { return qFull() + 24 + stage * 32; }
  __device__ uint32_t vEmpty(int stage) const { return qFull() + 32 + stage * 32; }
};

/** Blocks of keys that the tile sees, the last first. */
template <typename C>
struct Blocks {
  int begin, count;
  __device__ Blocks(const Tile& tile, int window) {
    const int first = firstKey(tile, tile.begin, window);
    begin = first - (first - tile.key_begin) % C::kKeys;
    count = (tile.end + tile.shift - begin + C::kKeys - 1) / C::kKeys;
  }
  __device__ int key(int i) const { return begin + (count - 1 - i) * C::kKeys; }
};

template <typename C>
__device__ void produce(const Arguments& a, const Shared<C>& shared, const Tile& tile, int head, int kv_head) {
  constexpr int kColumnTiles = C::kSize / 64;
  const Blocks<C> blocks(tile, a.p.shape.window);
  arriveExpecting(shared.qFull(), C::kTileBytes);
  loadTile(shared.q(), a.q, tile.begin, head * kColumnTiles, shared.qFull());
  Ring<C::kStages> ring;
  for (int i = 0; i < blocks.count; i++, ring.advance()) {
    const int stage = ring.stage, key = blocks.key(i);
    wait(shared.kEmpty(stage), ring.parity ^ 1);
    arriveExpecting(shared.kFull(stage), C::kTileBytes);
    loadTile(shared.k(stage), a.k, key, kv_head * kColumnTiles, shared.kFull(stage));
    wait(shared.vEmpty(stage), ring.parity ^ 1);
    arriveExpecting(shared.vFull(stage), C::kTileBytes);
    loadTile(shared.v(stage), a.v, key, kv_head * kColumnTiles, shared.vFull(stage));
  }
}

/** What the rows of a thread, lane / 4 and that + 8 of the warp's, have seen so far. */
struct Softmax {
  float maximum[2] = {-INFINITY, -INFINITY}, total[2] = {};

  /** Scores become weights; `shrink` is what sums so far are multiplied with. */
  template <int kKeys>
  __device__ void update(float (&scores)[kKeys / 8][4], float factor, float (&shrink)[2]) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float highest = maximum[half];
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) highest = fmaxf(highest, fmaxf(scores[n][2 * half], scores[n][2 * half + 1]));
      highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 1));
      highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 2));
      // The first block holds every row's own key: the maximum is finite.
      const float offset = highest * factor;
      shrink[half] = exp2Fast(maximum[half] * factor - offset);
      maximum[half] = highest;
      float sum = 0;
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
        for (int i = 2 * half; i < 2 * half + 2; i++) sum += scores[n][i] = exp2Fast(fmaf(scores[n][i], factor, -offset));
      }
      total[half] = total[half] * shrink[half] + sum;
    }
  }
};

template <int kKeys>
__device__ void maskScores(float (&scores)[kKeys / 8][4], const Tile& tile, int row, int key, int window) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int r = row + half * 8 + lane / 4, last = r + tile.shift - key - lane % 4 * 2, first = firstKey(tile, r, window) - key - lane % 4 * 2;
#pragma unroll
    for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
      for (int i = 0; i < 2; i++)
        if (n * 8 + i > last || n * 8 + i < first) scores[n][2 * half + i] = -INFINITY;
    }
  }
}

template <typename C>
__device__ void consume(const Arguments& a, const Shared<C>& shared, const Tile& tile, int head) {
  constexpr int kSize = C::kSize, kKeys = C::kKeys;
  const AttentionShape& s = a.p.shape;
  const int group = threadIdx.x / 128 - 1, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  const int group_row = tile.begin + group * 64, row = group_row + warp * 16;
  const uint32_t q = shared.q() + group * 64 * 128;
  const Blocks<C> blocks(tile, s.window);
  const float factor = s.scale * kLog2E;
  float out[kSize / 8][4] = {}, scores[kKeys / 8][4], shrink[2];
  uint32_t weights[kKeys / 16][4];
  Softmax softmax;
  const auto mask = [&](int key) {
    if (key + kKeys - 1 > group_row + tile.shift || key < firstKey(tile, group_row + 63, s.window))
      maskScores<kKeys>(scores, tile, row, key, s.window);
  };
  const auto release = [&](uint32_t barrier) {
    if (lane == 0) arrive(barrier);
  };
  // The warpgroups take turns at the tensor cores: one multiplies while the other computes weights.
  const auto takeTurn = [&] { syncNamed(1 + group, 256); };
  const auto passTurn = [&] { arriveNamed(2 - group, 256); };

  Ring<C::kStages> keys, values;
  wait(shared.qFull(), 0);
  wait(shared.kFull(0), 0);
  if (group == 1) passTurn();
  takeTurn();
  beginProducts();
  multiplyTransposedTiles<kSize, C::kRows, kKeys, kKeys>(scores, q, shared.k(0));
  commitProducts();
  passTurn();
  waitForProducts<0>();
  pin(scores);
  release(shared.kEmpty(0));
  keys.advance();
  mask(blocks.key(0));
  softmax.update<kKeys>(scores, factor, shrink);
  packWeights<kKeys>(weights, scores);

  for (int i = 1; i < blocks.count; i++, keys.advance(), values.advance()) {
    wait(shared.kFull(keys.stage), keys.parity);
    takeTurn();
    pin(weights), pin(out);
    beginProducts();
    multiplyTransposedTiles<kSize, C::kRows, kKeys, kKeys>(scores, q, shared.k(keys.stage));
    commitProducts();
    wait(shared.vFull(values.stage), values.parity);
    beginProducts();
    multiplyWeightsTile<kSize, kKeys>(out, weights, shared.v(values.stage));
    commitProducts();
    passTurn();
    waitForProducts<1>();
    pin(scores);
    release(shared.kEmpty(keys.stage));
    mask(blocks.key(i));
    softmax.update<kKeys>(scores, factor, shrink);
    waitForProducts<0>();
    pin(out), pin(weights);
    release(shared.vEmpty(values.stage));
#pragma unroll
    for (int n = 0; n < kSize / 8; n++) {
#pragma unroll
      for (int j = 0; j < 4; j++) out[n][j] *= shrink[j / 2];
    }
    packWeights<kKeys>(weights, scores);
  }
  if (group == 0) takeTurn();  // takes what the other passed last
  wait(shared.vFull(values.stage), values.parity);
  pin(weights), pin(out);
  beginProducts();
  multiplyWeightsTile<kSize, kKeys>(out, weights, shared.v(values.stage));
  commitProducts();

  float inverse[2];
#pragma unroll
  for (int half = 0; half < 2; half++) {
    float sum = softmax.total[half];
    sum += __shfl_xor_sync(~0u, sum, 1);
    sum += __shfl_xor_sync(~0u, sum, 2);
    inverse[half] = 1 / sum;
    const int r = row + half * 8 + lane / 4;
    if (a.p.lse && r < tile.end && lane % 4 == 0) a.p.lse[int64_t{head} * s.tokens + r] = softmax.maximum[half] * s.scale + logf(sum);
  }
  waitForProducts<0>();
  pin(out);
  storeSums<kSize>(out, inverse, static_cast<bf16*>(a.p.out) + head * kSize, s.heads * kSize, row, tile.end);
}

#endif

template <typename C>
__global__ void __launch_bounds__(C::kThreads, 1) forwardKernel(const __grid_constant__ Arguments a) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ char memory[];
  if (threadIdx.x == 0) prefetchTensorMap(a.q), prefetchTensorMap(a.k), prefetchTensorMap(a.v);
  const AttentionShape& s = a.p.shape;
  const int head = blockIdx.x, kv_head = head / (s.heads / s.kv_heads);
  const Tile tile = tileOf(gridDim.y - 1 - blockIdx.y, s, C::kRows);
  if (tile.begin >= tile.end) return;
  const Shared<C> shared{(sharedAddress(memory) + 1023) & ~1023u};
  if (threadIdx.x == 0) {
    initBarrier(shared.qFull(), 1);
    for (int stage = 0; stage < C::kStages; stage++) {
      initBarrier(shared.kFull(stage), 1), initBarrier(shared.vFull(stage), 1);
      initBarrier(shared.kEmpty(stage), C::kConsumerWarps), initBarrier(shared.vEmpty(stage), C::kConsumerWarps);
    }
    publishBarriers();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    giveRegisters<24>();
    if (threadIdx.x == 0) produce<C>(a, shared, tile, head, kv_head);
  } else {
    takeRegisters<240>();
    consume<C>(a, shared, tile, head);
  }
#endif
}

template <typename C>
const char* launch(const Forward& p, cudaStream_t stream) {
  const AttentionShape& s = p.shape;
  Arguments a{{}, {}, {}, p};
  if (!makeTensorMap(a.q, p.q, s.tokens, s.heads, C::kSize, C::kRows) || !makeTensorMap(a.k, p.k, s.tokens, s.kv_heads, C::kSize, C::kKeys) ||
      !makeTensorMap(a.v, p.v, s.tokens, s.kv_heads, C::kSize, C::kKeys))
    return kNoTensorMap;
  return launchKernel(forwardKernel<C>, dim3(s.heads, slotCount(s, C::kRows)), C::kThreads, C::kSharedBytes, stream, a);
}

}  // namespace

bool hopperCodeIsPresent() {
  cudaFuncAttributes attributes;
  return cudaFuncGetAttributes(&attributes, forwardKernel<Config<128>>) == cudaSuccess && attributes.ptxVersion == 90;
}

const char* hopperForward(const Forward& p, cudaStream_t stream) {
  return p.shape.head_size == 64 ? launch<Config<64>>(p, stream) : launch<Config<128>>(p, stream);
}

}  // namespace anneal::cuda
