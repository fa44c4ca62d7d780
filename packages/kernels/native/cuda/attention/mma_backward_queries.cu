#include "attention.h"
#include "soft_cap.cuh"
#include "warp_tile.cuh"

// dq of a tile of queries of one head, over the keys that they see: weights p = exp(score - lse), ds = p ∘ (d_out · vᵀ - delta), dq = scale · ds · k.

namespace anneal::cuda {
namespace {

template <int kSize_, int kWarps_, int kM_, int kKeys_, int kBlocks_, int kColumns_ = kSize_>
struct Config {
  /** kWarps share the queries. Where kColumns are half of a head, two warps have the same queries: each sums half of the scores, and has half of dq. */
  static constexpr int kSize = kSize_, kWarps = kWarps_, kM = kM_, kKeys = kKeys_, kBlocks = kBlocks_, kColumns = kColumns_;
  static constexpr int kThreads = kWarps * 32 * kSize / kColumns, kRows = kWarps * 16 * kM;
  static constexpr int kQueryBytes = kRows * kSize * 2, kKeyBytes = kKeys * kSize * 2;
  static constexpr bool kPairs = kColumns < kSize;
  static constexpr int kSlotBytes = kPairs ? 2 * kM * kKeys / 8 * 32 * 16 : 0;
  static constexpr int kSharedBytes = 2 * kQueryBytes + 4 * kKeyBytes + kThreads / 32 * kSlotBytes;
  static_assert(kColumns == kSize || (2 * kColumns == kSize && kM == 1));
};

template <typename C, bool kCapped>
__global__ void __launch_bounds__(C::kThreads, C::kBlocks) backwardQueriesKernel(const Backward p) {
  constexpr int kSize = C::kSize, kM = C::kM, kKeys = C::kKeys, kColumns = C::kColumns;
  extern __shared__ __align__(128) char shared[];
  const AttentionShape& s = p.shape;
  const int head = blockIdx.x, kv_head = head / (s.heads / s.kv_heads);
  const Tile tile = tileOf(gridDim.y - 1 - blockIdx.y, s, C::kRows);
  if (tile.begin >= tile.end) return;

  const int q_stride = s.heads * kSize, kv_stride = s.kv_heads * kSize;
  const bf16* k = static_cast<const bf16*>(p.k) + kv_head * kSize;
  const bf16* v = static_cast<const bf16*>(p.v) + kv_head * kSize;
  const uint32_t q_tile = sharedAddress(shared), d_out_tile = q_tile + C::kQueryBytes, kv_tiles = d_out_tile + C::kQueryBytes;
  const auto loadKeys = [&](int stage, int key) {
    copyTile<kKeys, kSize, C::kThreads>(kv_tiles + stage * 2 * C::kKeyBytes, k, kv_stride, key, tile.document_end);
    copyTile<kKeys, kSize, C::kThreads>(kv_tiles + stage * 2 * C::kKeyBytes + C::kKeyBytes, v, kv_stride, key, tile.document_end);
    commitCopies();
  };

  const int first = firstKey(tile, tile.begin, s.window), key_begin = first - (first - tile.key_begin) % kKeys;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int tile_row = warp % C::kWarps * 16 * kM, row = tile.begin + tile_row, last_row = row + 16 * kM - 1, column = warp / C::kWarps * kColumns;
  copyTile<C::kRows, kSize, C::kThreads>(q_tile, static_cast<const bf16*>(p.q) + head * kSize, q_stride, tile.begin, tile.end);
  copyTile<C::kRows, kSize, C::kThreads>(d_out_tile, static_cast<const bf16*>(p.d_out) + head * kSize, q_stride, tile.begin, tile.end);
  loadKeys(0, key_begin);

  const SoftCap cap(s);
  const float factor = s.scale * kLog2E;
  float lse[kM][2], delta[kM][2], scale[kM][2];
#pragma unroll
  for (int m = 0; m < kM; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const int r = row + m * 16 + half * 8 + lane / 4;
      const int64_t at = int64_t{head} * s.tokens + r;
      lse[m][half] = r < tile.end ? p.lse[at] * kLog2E : INFINITY;
      delta[m][half] = r < tile.end ? p.delta[at] : 0;
      scale[m][half] = s.scale;
    }
  }

  const auto slot = [&](int of) { return reinterpret_cast<float4*>(shared + 2 * C::kQueryBytes + 4 * C::kKeyBytes + of * C::kSlotBytes); };
  float dq[kM][kColumns / 8][4] = {};
  int stage = 0;
  for (int key = key_begin; key < tile.end; key += kKeys, stage ^= 1) {
    waitForCopies();
    __syncthreads();
    if (key + kKeys < tile.end) loadKeys(stage ^ 1, key + kKeys);
    if (key > last_row) continue;

    const uint32_t k_tile = kv_tiles + stage * 2 * C::kKeyBytes;
    float weights[kM][kKeys / 8][4] = {}, d_weights[kM][kKeys / 8][4] = {};
    multiplyTransposed<kSize, kM, kKeys, kColumns>(weights, q_tile, tile_row, k_tile, column);
    multiplyTransposed<kSize, kM, kKeys, kColumns>(d_weights, d_out_tile, tile_row, k_tile + C::kKeyBytes, column);
    if constexpr (C::kPairs) addHalves(weights[0], d_weights[0], slot(warp), slot(warp ^ C::kWarps), 1 + warp % C::kWarps);
    const bool masked = key + kKeys - 1 > row || key < firstKey(tile, last_row, s.window);
#pragma unroll
    for (int m = 0; m < kM; m++) {
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
        for (int i = 0; i < 4; i++) {
          const int half = i / 2;
          const float part = kCapped ? cap.part(weights[m][n][i]) : 0;
          float weight = exp2Fast(kCapped ? fmaf(part, cap.cap * kLog2E, -lse[m][half]) : fmaf(weights[m][n][i], factor, -lse[m][half]));
          if (masked) {
            const int r = row + m * 16 + half * 8 + lane / 4, j = key + n * 8 + lane % 4 * 2 + i % 2;
            if (j > r || (s.window > 0 && j <= r - s.window)) weight = 0;
          }
          d_weights[m][n][i] = weight * (d_weights[m][n][i] - delta[m][half]);
          if constexpr (kCapped) d_weights[m][n][i] *= 1.f - part * part;
        }
      }
    }
    multiplyWeights<kSize, kM, kKeys, kColumns>(dq, d_weights, k_tile, column);
  }
  if constexpr (C::kPairs) __syncthreads();  // the other may still read these queries
  storeRows<kColumns, kM>(dq, scale, q_tile + tile_row * kSize * 2 + column * 16 * kM * 2, static_cast<bf16*>(p.dq) + head * kSize + column, q_stride, row, tile.end);
}

template <typename C, bool kCapped = false>
const char* launch(const Backward& backward, cudaStream_t stream) {
  const dim3 grid(backward.shape.heads, slotCount(backward.shape, C::kRows));
  return launchKernel(backwardQueriesKernel<C, kCapped>, grid, C::kThreads, C::kSharedBytes, stream, backward);
}

}  // namespace

const char* mmaBackwardQueries(const Backward& backward, cudaStream_t stream) {
  switch (backward.shape.head_size) {
    case 64:
      return launch<Config<64, 4, 2, 32, 2>>(backward, stream);
    case 96:
      return launch<Config<96, 4, 2, 32, 2>>(backward, stream);
    case 128:
      if (backward.shape.soft_cap != 0) return launch<Config<128, 4, 1, 32, 2>, true>(backward, stream);
      return launch<Config<128, 4, 2, 32, 2>>(backward, stream);
    case 192:
      return launch<Config<192, 4, 1, 32, 2>>(backward, stream);
    case 256:
      if (backward.shape.soft_cap != 0) return launch<Config<256, 4, 1, 16, 1>, true>(backward, stream);
      return launch<Config<256, 4, 1, 16, 1>>(backward, stream);
    case 512:
      if (sharedMemoryLimit() < Config<512, 4, 1, 16, 1, 256>::kSharedBytes) return launch<Config<512, 2, 1, 16, 1, 256>>(backward, stream);
      return launch<Config<512, 4, 1, 16, 1, 256>>(backward, stream);
  }
  return "no tensor core kernel for heads of this size";
}

}  // namespace anneal::cuda
