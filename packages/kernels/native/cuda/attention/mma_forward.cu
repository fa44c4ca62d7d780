#include "attention.h"
#include "sink.cuh"
#include "soft_cap.cuh"
#include "warp_tile.cuh"

// FlashAttention-2 (Dao 2023): a block owns a tile of queries of one head and walks over the keys that they see, with a running maximum.
// Where registers do not hold all columns of a head's outputs, blocks share them, and each makes the weights anew.

namespace anneal::cuda {
namespace {

template <int kSize_, int kWarps_, int kM_, int kKeys_, int kBlocks_, int kColumns_ = kSize_>
struct Config {
  static constexpr int kSize = kSize_, kWarps = kWarps_, kM = kM_, kKeys = kKeys_, kBlocks = kBlocks_, kColumns = kColumns_;
  static constexpr int kThreads = kWarps * 32, kRows = kWarps * 16 * kM;
  static constexpr int kQueryBytes = kRows * kSize * 2, kKeyBytes = kKeys * kSize * 2, kStageBytes = kKeyBytes + kKeys * kColumns * 2;
  static constexpr int kSharedBytes = kQueryBytes + 2 * kStageBytes;
};

/** Scores of keys that a row does not see become -infinity. */
template <int kM, int kKeys>
__device__ void maskScores(float (&scores)[kM][kKeys / 8][4], const Tile& tile, int row, int key, int window) {
  const int lane = threadIdx.x % 32;
#pragma unroll
  for (int m = 0; m < kM; m++) {
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int r = row + m * 16 + i / 2 * 8 + lane / 4, last = r + tile.shift, first = firstKey(tile, r, window);
#pragma unroll
      for (int n = 0; n < kKeys / 8; n++) {
        const int j = key + n * 8 + lane % 4 * 2 + i % 2;
        if (j > last || j < first) scores[m][n][i] = -INFINITY;
      }
    }
  }
}

template <typename C, bool kCapped>
__global__ void __launch_bounds__(C::kThreads, C::kBlocks) forwardKernel(const Forward p) {
  constexpr int kSize = C::kSize, kM = C::kM, kKeys = C::kKeys, kColumns = C::kColumns;
  extern __shared__ __align__(128) char shared[];
  const AttentionShape& s = p.shape;
  const int head = blockIdx.x, kv_head = head / (s.heads / s.kv_heads), column = kColumns == kSize ? 0 : blockIdx.z * kColumns;
  // Later tiles of a document see more keys: they start first.
  const Tile tile = tileOf(gridDim.y - 1 - blockIdx.y, s, C::kRows);
  if (tile.begin >= tile.end) return;

  const int q_stride = s.heads * kSize, kv_stride = s.kv_heads * kSize;
  const bf16* q = static_cast<const bf16*>(p.q) + head * kSize;
  const bf16* k = static_cast<const bf16*>(p.k) + kv_head * kSize;
  const bf16* v = static_cast<const bf16*>(p.v) + kv_head * kSize + column;
  const uint32_t q_tile = sharedAddress(shared), kv_tiles = q_tile + C::kQueryBytes;
  const auto loadKeys = [&](int stage, int key) {
    const int end = tile.document_end + tile.shift;
    copyTile<kKeys, kSize, C::kThreads>(kv_tiles + stage * C::kStageBytes, k, kv_stride, key, end);
    copyTile<kKeys, kColumns, C::kThreads>(kv_tiles + stage * C::kStageBytes + C::kKeyBytes, v, kv_stride, key, end);
    commitCopies();
  };

  const int first = firstKey(tile, tile.begin, s.window), key_begin = first - (first - tile.key_begin) % kKeys;
  const int key_end = tile.end + tile.shift;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int tile_row = warp * 16 * kM, row = tile.begin + tile_row, last_row = row + 16 * kM - 1;
  copyTile<C::kRows, kSize, C::kThreads>(q_tile, q, q_stride, tile.begin, tile.end);
  loadKeys(0, key_begin);

  const SoftCap cap(s);
  const float scale = kCapped ? 1.f : s.scale, factor = scale * kLog2E;  // of the scores whose maximum is kept
  float out[kM][kColumns / 8][4] = {}, maximum[kM][2], total[kM][2] = {};
#pragma unroll
  for (int m = 0; m < kM; m++) maximum[m][0] = maximum[m][1] = -INFINITY;

  int stage = 0;
  for (int key = key_begin; key < key_end; key += kKeys, stage ^= 1) {
    waitForCopies();
    __syncthreads();
    if (key + kKeys < key_end) loadKeys(stage ^ 1, key + kKeys);
    if (key > last_row + tile.shift) continue;

    const uint32_t k_tile = kv_tiles + stage * C::kStageBytes;
    float scores[kM][kKeys / 8][4] = {};
    multiplyTransposed<kSize, kM, kKeys>(scores, q_tile, tile_row, k_tile);
    if constexpr (kCapped) {
#pragma unroll
      for (int m = 0; m < kM; m++)
#pragma unroll
        for (int n = 0; n < kKeys / 8; n++)
#pragma unroll
          for (float& score : scores[m][n]) score = cap.cap * cap.part(score);
    }
    if (key + kKeys - 1 > row + tile.shift || key < firstKey(tile, last_row, s.window)) maskScores<kM, kKeys>(scores, tile, row, key, s.window);

#pragma unroll
    for (int m = 0; m < kM; m++) {
#pragma unroll
      for (int half = 0; half < 2; half++) {
        float highest = maximum[m][half];
#pragma unroll
        for (int n = 0; n < kKeys / 8; n++) highest = fmaxf(highest, fmaxf(scores[m][n][2 * half], scores[m][n][2 * half + 1]));
        highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 1));
        highest = fmaxf(highest, __shfl_xor_sync(~0u, highest, 2));
        // A row that has seen no key yet: its weights must become 0, not NaN.
        const float offset = highest == -INFINITY ? 0.f : highest * factor;
        const float shrink = exp2Fast(maximum[m][half] * factor - offset);
        maximum[m][half] = highest;
        float sum = 0;
#pragma unroll
        for (int n = 0; n < kKeys / 8; n++) {
#pragma unroll
          for (int i = 2 * half; i < 2 * half + 2; i++) sum += scores[m][n][i] = exp2Fast(fmaf(scores[m][n][i], factor, -offset));
        }
        total[m][half] = total[m][half] * shrink + sum;
#pragma unroll
        for (int n = 0; n < kColumns / 8; n++) {
          out[m][n][2 * half] *= shrink;
          out[m][n][2 * half + 1] *= shrink;
        }
      }
    }
    multiplyWeights<kColumns, kM, kKeys, kColumns>(out, scores, k_tile + C::kKeyBytes);
  }

  float inverse[kM][2];
#pragma unroll
  for (int m = 0; m < kM; m++) {
#pragma unroll
    for (int half = 0; half < 2; half++) {
      float sum = total[m][half];
      sum += __shfl_xor_sync(~0u, sum, 1);
      sum += __shfl_xor_sync(~0u, sum, 2);
      float highest = maximum[m][half] * scale;
      const float keep = p.sinks ? joinSink(p.sinks[head], highest, sum) : 1.f;
      inverse[m][half] = keep / sum;
      const int r = row + m * 16 + half * 8 + lane / 4;
      if (p.lse && column == 0 && r < tile.end && lane % 4 == 0) p.lse[int64_t{head} * s.tokens + r] = highest + logf(sum);
    }
  }
  storeRows<kColumns, kM>(out, inverse, q_tile + tile_row * kSize * 2, static_cast<bf16*>(p.out) + head * kSize + column, q_stride, row, tile.end);
}

template <typename C, bool kCapped = false>
const char* launch(const Forward& forward, cudaStream_t stream) {
  const dim3 grid(forward.shape.heads, slotCount(forward.shape, C::kRows), C::kSize / C::kColumns);
  return launchKernel(forwardKernel<C, kCapped>, grid, C::kThreads, C::kSharedBytes, stream, forward);
}

}  // namespace

const char* mmaForward(const Forward& forward, cudaStream_t stream) {
  switch (forward.shape.head_size) {
    case 64:
      return launch<Config<64, 4, 2, 64, 2>>(forward, stream);
    case 96:
      return launch<Config<96, 4, 2, 32, 2>>(forward, stream);
    case 128:
      if (forward.shape.soft_cap != 0) return launch<Config<128, 4, 2, 32, 2>, true>(forward, stream);
      return launch<Config<128, 4, 2, 32, 2>>(forward, stream);
    case 192:
      return launch<Config<192, 8, 1, 32, 1>>(forward, stream);
    case 256:
      if (forward.shape.soft_cap != 0) return launch<Config<256, 8, 1, 32, 1>, true>(forward, stream);
      return launch<Config<256, 8, 1, 32, 1>>(forward, stream);
    case 512:
      if (sharedMemoryLimit() < Config<512, 8, 1, 32, 1, 256>::kSharedBytes) return launch<Config<512, 4, 1, 32, 1, 256>>(forward, stream);
      return launch<Config<512, 8, 1, 32, 1, 256>>(forward, stream);
  }
  return "no tensor core kernel for heads of this size";
}

}  // namespace anneal::cuda
