#include "attention.h"
#include "hopper_forward_work.cuh"
#include "hopper_softmax.cuh"
#include "sink.cuh"
#include "wgmma.cuh"

// As FlashAttention-3 (Shah et al. 2024): one warpgroup loads tiles by TMA, two own 64 queries each. While a block of scores becomes weights, the
// tensor cores multiply the weights of the block before with its values. A block per multiprocessor takes tiles from a common counter, a
// document's longest first: who computes a tile changes from run to run, what comes out does not.

namespace anneal::cuda {
namespace {

using namespace forward_pass;

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

/** One warp: all look for tiles, a lane loads. It runs ahead, so that the next tile's queries and keys arrive while the last results are stored. */
template <typename C>
__device__ void produce(const Arguments& a, const Shared<C>& shared) {
  constexpr int kColumnTiles = C::kSize / 64;
  const AttentionShape& s = a.p.shape;
  const int lane = threadIdx.x % 32, slots = slotCount(s.tokens, s.documents, C::kRows), total = slots * s.heads;
  const auto take = [&] {
    int index = 0;
    if (lane == 0) index = gridDim.x + atomicAdd(a.p.counter, 1);
    return __shfl_sync(~0u, index, 0);
  };
  Ring<2> works;
  Ring<C::kStages> ring;
  uint32_t q_parity = 1;
  for (int index = blockIdx.x;; works.advance(), q_parity ^= 1) {
    Work work{-1, {}};
    for (; index < total; index = take()) {
      // Later tiles of a document see more keys: they start first.
      work.tile = tileOf(slots - 1 - index / s.heads, s, C::kRows);
      if (work.tile.begin >= work.tile.end) continue;
      work.head = index % s.heads;
      break;
    }
    wait(shared.workEmpty(works.stage), works.parity ^ 1);
    if (lane == 0) {
      work.write(shared.work(works.stage));
      arrive(shared.workFull(works.stage));
    }
    if (work.head < 0) return;
    const Blocks<C> blocks(work.tile, s.window);
    const int kv_column = work.head / (s.heads / s.kv_heads) * kColumnTiles;
    for (int i = 0; i < blocks.count; i++, ring.advance()) {
      if (lane != 0) continue;
      const int stage = ring.stage, key = blocks.key(i);
      wait(shared.kEmpty(stage), ring.parity ^ 1);
      arriveExpecting(shared.kFull(stage), C::kTileBytes);
      loadTile(shared.k(stage), a.k, key, kv_column, shared.kFull(stage));
      if (i == 0) {
        wait(shared.qEmpty(), q_parity);
        arriveExpecting(shared.qFull(), C::kTileBytes);
        loadTile(shared.q(), a.q, work.tile.begin, work.head * kColumnTiles, shared.qFull());
      }
      wait(shared.vEmpty(stage), ring.parity ^ 1);
      arriveExpecting(shared.vFull(stage), C::kTileBytes);
      loadTile(shared.v(stage), a.v, key, kv_column, shared.vFull(stage));
    }
    __syncwarp();
    // Not before this tile is all but done: a block that took two of the longest would be the last to end.
    index = take();
  }
}

template <typename C>
__device__ void consumeTile(const Arguments& a, const Shared<C>& shared, const Tile& tile, int head, Ring<C::kStages>& keys, Ring<C::kStages>& values,
                            uint32_t q_parity) {
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
  const auto takeTurn = [&] { syncNamed(1 + group, 256); };
  const auto passTurn = [&] { arriveNamed(2 - group, 256); };

  wait(shared.qFull(), q_parity);
  wait(shared.kFull(keys.stage), keys.parity);
  takeTurn();
  beginProducts();
  multiplyTransposedTiles<kSize, C::kRows, kKeys, kKeys>(scores, q, shared.k(keys.stage));
  commitProducts();
  passTurn();
  waitForProducts<0>();
  pin(scores);
  release(shared.kEmpty(keys.stage));
  if (blocks.count == 1) release(shared.qEmpty());
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
    if (i == blocks.count - 1) release(shared.qEmpty());
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
    float highest = softmax.maximum[half] * s.scale;
    const float keep = a.p.sinks ? joinSink(a.p.sinks[head], highest, sum) : 1.f;
    inverse[half] = keep / sum;
    const int r = row + half * 8 + lane / 4;
    if (a.p.lse && r < tile.end && lane % 4 == 0) a.p.lse[int64_t{head} * s.tokens + r] = highest + logf(sum);
  }
  waitForProducts<0>();
  pin(out);
  release(shared.vEmpty(values.stage));
  values.advance();
  storeSums<kSize>(out, inverse, static_cast<bf16*>(a.p.out) + head * kSize, s.heads * kSize, row, tile.end);
}

template <typename C>
__device__ void consume(const Arguments& a, const Shared<C>& shared) {
  // The warpgroups take turns at the tensor cores: one multiplies while the other computes weights. The first begins, and takes what the other
  // passed last.
  const int group = threadIdx.x / 128 - 1, lane = threadIdx.x % 32;
  if (group == 1) arriveNamed(1, 256);
  Ring<2> works;
  Ring<C::kStages> keys, values;
  for (uint32_t q_parity = 0;; q_parity ^= 1, works.advance()) {
    Work work;
    wait(shared.workFull(works.stage), works.parity);
    work.read(shared.work(works.stage));
    __syncwarp();
    if (lane == 0) arrive(shared.workEmpty(works.stage));
    if (work.head < 0) break;
    consumeTile<C>(a, shared, work.tile, work.head, keys, values, q_parity);
  }
  if (group == 0) syncNamed(1, 256);
}

#endif

template <typename C>
__global__ void __launch_bounds__(C::kThreads, 1) forwardKernel(const __grid_constant__ Arguments a) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ char memory[];
  const Shared<C> shared{(sharedAddress(memory) + 1023) & ~1023u};
  if (threadIdx.x == 0) {
    prefetchTensorMap(a.q), prefetchTensorMap(a.k), prefetchTensorMap(a.v);
    initBarrier(shared.qFull(), 1), initBarrier(shared.qEmpty(), C::kConsumerWarps);
    for (int stage = 0; stage < 2; stage++) initBarrier(shared.workFull(stage), 1), initBarrier(shared.workEmpty(stage), C::kConsumerWarps);
    for (int stage = 0; stage < C::kStages; stage++) {
      initBarrier(shared.kFull(stage), 1), initBarrier(shared.vFull(stage), 1);
      initBarrier(shared.kEmpty(stage), C::kConsumerWarps), initBarrier(shared.vEmpty(stage), C::kConsumerWarps);
    }
    publishBarriers();
  }
  __syncthreads();
  if (threadIdx.x < 128) {
    giveRegisters<40>();
    if (threadIdx.x < 32) produce<C>(a, shared);
  } else {
    takeRegisters<232>();
    consume<C>(a, shared);
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
  const int tiles = s.heads * slotCount(s, C::kRows), processors = multiprocessors();
  const cudaError_t error = cudaMemsetAsync(p.counter, 0, sizeof(int), stream);
  if (error != cudaSuccess) return cudaGetErrorString(error);
  return launchKernel(forwardKernel<C>, dim3(tiles < processors ? tiles : processors), C::kThreads, C::kSharedBytes, stream, a);
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
