#include "attention.h"
#include "soft_cap.cuh"
#include "warp_tile.cuh"

// dk and dv of a tile of keys, over the queries that see them: head by head of those that share the keys, so that sums have one order.
// Scores are transposed (keys are rows), so that weights come out as operands of the second product: dv = pᵀ · d_out, dk = scale · dsᵀ · q.

namespace anneal::cuda {
namespace {

template <int kSize_, int kWarps_, int kQueries_, int kBlocks_, bool kSplit_ = false, int kColumns_ = kSize_>
struct Config {
  /** kWarps share the keys. Where kColumns are half of a head, two warps have the same keys: each sums half of the scores, and has half of dk and dv. */
  static constexpr int kSize = kSize_, kWarps = kWarps_, kQueries = kQueries_, kBlocks = kBlocks_, kColumns = kColumns_;
  static constexpr int kThreads = kWarps * 32 * kSize / kColumns, kRows = kWarps * 16;
  static constexpr int kKeyBytes = kRows * kSize * 2, kQueryBytes = kQueries * kSize * 2;
  static constexpr int kStageBytes = 2 * kQueryBytes + 2 * kQueries * 4;
  static constexpr bool kPairs = kColumns < kSize;
  static constexpr int kSlotBytes = kPairs ? 2 * kQueries / 8 * 32 * 16 : 0;
  static constexpr int kSharedBytes = 2 * kKeyBytes + 2 * kStageBytes + kThreads / 32 * kSlotBytes;
  static_assert(kColumns == kSize || 2 * kColumns == kSize);
  /** dk and dv in blocks of their own, where registers do not hold both. */
  static constexpr bool kSplit = kSplit_;
};

template <typename C, bool kCapped, bool kDk, bool kDv>
__device__ void backwardKeys(const Backward& p, char* shared) {
  constexpr int kSize = C::kSize, kQueries = C::kQueries, kColumns = C::kColumns;
  const AttentionShape& s = p.shape;
  const int kv_head = blockIdx.x, group = s.heads / s.kv_heads;
  const Tile tile = tileOf(blockIdx.y, s, C::kRows);
  if (tile.begin >= tile.end) return;

  const int q_stride = s.heads * kSize, kv_stride = s.kv_heads * kSize;
  const uint32_t k_tile = sharedAddress(shared), v_tile = k_tile + C::kKeyBytes, stages = v_tile + C::kKeyBytes;
  char* const stage_memory = shared + 2 * C::kKeyBytes;

  // Queries of the tile's own rows and after, as far as a window lets them see its last key.
  const int query_begin = tile.begin;
  const int query_end = s.window > 0 ? min(tile.document_end, tile.end - 1 + s.window) : tile.document_end;
  const int last_head = kv_head * group + group - 1;
  const auto loadQueries = [&](int stage, int head, int query) {
    const uint32_t to = stages + stage * C::kStageBytes;
    copyTile<kQueries, kSize, C::kThreads>(to, static_cast<const bf16*>(p.q) + head * kSize, q_stride, query, query_end);
    copyTile<kQueries, kSize, C::kThreads>(to + C::kQueryBytes, static_cast<const bf16*>(p.d_out) + head * kSize, q_stride, query, query_end);
    commitCopies();
    float* rows = reinterpret_cast<float*>(stage_memory + stage * C::kStageBytes + 2 * C::kQueryBytes);
    if (threadIdx.x < kQueries) {
      const int r = query + threadIdx.x;
      const int64_t at = int64_t{head} * s.tokens + r;
      // A row that is not there has weights of 0.
      rows[threadIdx.x] = r < query_end ? p.lse[at] * kLog2E : INFINITY;
      rows[kQueries + threadIdx.x] = r < query_end ? p.delta[at] : 0;
    }
  };

  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
  const int tile_row = warp % C::kWarps * 16, key = tile.begin + tile_row, column = warp / C::kWarps * kColumns;
  copyTile<C::kRows, kSize, C::kThreads>(k_tile, static_cast<const bf16*>(p.k) + kv_head * kSize, kv_stride, tile.begin, tile.end);
  copyTile<C::kRows, kSize, C::kThreads>(v_tile, static_cast<const bf16*>(p.v) + kv_head * kSize, kv_stride, tile.begin, tile.end);
  loadQueries(0, kv_head * group, query_begin);

  const SoftCap cap(s);
  const float factor = s.scale * kLog2E;
  const auto slot = [&](int of) { return reinterpret_cast<float4*>(stage_memory + 2 * C::kStageBytes + of * C::kSlotBytes); };
  float dk[1][kDk ? kColumns / 8 : 1][4] = {}, dv[1][kDv ? kColumns / 8 : 1][4] = {};
  int next_head = kv_head * group, next_query = query_begin;
  for (int stage = 0; next_head <= last_head; stage ^= 1) {
    const int query = next_query;
    waitForCopies();
    __syncthreads();
    next_query += kQueries;
    if (next_query >= query_end) next_query = query_begin, next_head++;
    if (next_head <= last_head) loadQueries(stage ^ 1, next_head, next_query);
    if (query + kQueries - 1 < key) continue;

    const uint32_t q_tile = stages + stage * C::kStageBytes, d_out_tile = q_tile + C::kQueryBytes;
    const float* lse = reinterpret_cast<const float*>(stage_memory + stage * C::kStageBytes + 2 * C::kQueryBytes);
    const float* delta = lse + kQueries;
    float weights[1][kQueries / 8][4] = {}, d_weights[1][kDk ? kQueries / 8 : 1][4] = {};
    multiplyTransposed<kSize, 1, kQueries, kColumns>(weights, k_tile, tile_row, q_tile, column);
    if constexpr (kDk) multiplyTransposed<kSize, 1, kQueries, kColumns>(d_weights, v_tile, tile_row, d_out_tile, column);
    if constexpr (C::kPairs) addHalves(weights[0], d_weights[0], slot(warp), slot(warp ^ C::kWarps), 1 + warp % C::kWarps);
    const bool masked = query < key + 15 || (s.window > 0 && query + kQueries - 1 - key >= s.window);
#pragma unroll
    for (int n = 0; n < kQueries / 8; n++) {
      const float2 row_lse = *reinterpret_cast<const float2*>(lse + n * 8 + lane % 4 * 2);
      const float2 row_delta = *reinterpret_cast<const float2*>(delta + n * 8 + lane % 4 * 2);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float part = kCapped ? cap.part(weights[0][n][i]) : 0, minus_lse = -(i % 2 ? row_lse.y : row_lse.x);
        float weight = exp2Fast(kCapped ? fmaf(part, cap.cap * kLog2E, minus_lse) : fmaf(weights[0][n][i], factor, minus_lse));
        if (masked) {
          const int j = key + i / 2 * 8 + lane / 4, r = query + n * 8 + lane % 4 * 2 + i % 2;
          if (j > r || (s.window > 0 && j <= r - s.window)) weight = 0;
        }
        weights[0][n][i] = weight;
        if constexpr (kDk) d_weights[0][n][i] = weight * (d_weights[0][n][i] - (i % 2 ? row_delta.y : row_delta.x));
        if constexpr (kDk && kCapped) d_weights[0][n][i] *= 1.f - part * part;
      }
    }
    if constexpr (kDv) multiplyWeights<kSize, 1, kQueries, kColumns>(dv, weights, d_out_tile, column);
    if constexpr (kDk) multiplyWeights<kSize, 1, kQueries, kColumns>(dk, d_weights, q_tile, column);
  }

  const float scale[1][2] = {{s.scale, s.scale}}, one[1][2] = {{1, 1}};
  const int own = tile_row * kSize * 2 + column * 16 * 2, first = kv_head * kSize + column;
  if constexpr (C::kPairs) __syncthreads();  // the other may still read these keys
  if constexpr (kDk) storeRows<kColumns, 1>(dk, scale, k_tile + own, static_cast<bf16*>(p.dk) + first, kv_stride, key, tile.end);
  if constexpr (kDv) storeRows<kColumns, 1>(dv, one, v_tile + own, static_cast<bf16*>(p.dv) + first, kv_stride, key, tile.end);
}

template <typename C, bool kCapped>
__global__ void __launch_bounds__(C::kThreads, C::kBlocks) backwardKeysKernel(const Backward p) {
  extern __shared__ __align__(128) char shared[];
  if constexpr (!C::kSplit) backwardKeys<C, kCapped, true, true>(p, shared);
  else if (blockIdx.z == 0) backwardKeys<C, kCapped, true, false>(p, shared);
  else backwardKeys<C, kCapped, false, true>(p, shared);
}

template <typename C, bool kCapped = false>
const char* launch(const Backward& backward, cudaStream_t stream) {
  const dim3 grid(backward.shape.kv_heads, slotCount(backward.shape, C::kRows), C::kSplit ? 2 : 1);
  return launchKernel(backwardKeysKernel<C, kCapped>, grid, C::kThreads, C::kSharedBytes, stream, backward);
}

/** Long tiles read queries less often, short ones fill the GPU where there are few heads of keys: the same bits. */
const char* launch256(const Backward& backward, cudaStream_t stream) {
  using Long = Config<256, 4, 32, 1, false, 128>;
  using Short = Config<256, 2, 16, 2, false, 128>;
  const AttentionShape& s = backward.shape;
  if (s.kv_heads * slotCount(s, Long::kRows) >= multiprocessors())
    return s.soft_cap != 0 ? launch<Long, true>(backward, stream) : launch<Long>(backward, stream);
  return s.soft_cap != 0 ? launch<Short, true>(backward, stream) : launch<Short>(backward, stream);
}

}  // namespace

const char* mmaBackwardKeys(const Backward& backward, cudaStream_t stream) {
  switch (backward.shape.head_size) {
    case 64:
      return launch<Config<64, 8, 64, 1>>(backward, stream);
    case 96:
      return launch<Config<96, 8, 64, 1>>(backward, stream);
    case 128:
      if (backward.shape.soft_cap != 0) return launch<Config<128, 8, 32, 1>, true>(backward, stream);
      if (sharedMemoryLimit() < 163 << 10) return launch<Config<128, 8, 32, 1>>(backward, stream);
      return launch<Config<128, 8, 64, 1>>(backward, stream);
    case 192:
      if (sharedMemoryLimit() < 163 << 10) return launch<Config<192, 4, 32, 1, true>>(backward, stream);
      return launch<Config<192, 8, 32, 1, true>>(backward, stream);
    case 256:
      return launch256(backward, stream);
    case 512:
      if (sharedMemoryLimit() < Config<512, 4, 16, 1, true, 256>::kSharedBytes) return launch<Config<512, 2, 16, 1, true, 256>>(backward, stream);
      return launch<Config<512, 4, 16, 1, true, 256>>(backward, stream);
  }
  return "no tensor core kernel for heads of this size";
}

}  // namespace anneal::cuda
