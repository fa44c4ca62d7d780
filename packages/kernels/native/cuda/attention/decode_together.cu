#include "attention.h"
#include "cuda/cluster.cuh"
#include "cuda/reduce.cuh"
#include "cuda/types.cuh"
#include "decode_query.cuh"
#include "mma.cuh"
#include "sink.cuh"

// One query of each of several sequences. The query heads that share a key head are the rows of 16×8×16 products; lanes read keys and values from the
// cache right into the registers of these, in an order of their own of what is summed over and of columns. A warp takes 16 rows of the cache at a
// time, and the warps of a cluster of blocks take turns; their parts are joined in their order.

namespace anneal::cuda {
namespace {

constexpr int kWarps = 4, kThreads = kWarps * kWarp;
/** Rows of the cache that a warp looks at together, and heads of a product. */
constexpr int kRows = 16, kHeads = 16;
/** Blocks of a cluster, whatever else there is: sums do not depend on how many sequences there are. */
constexpr int kBlocks = 4;
/** Columns of the values that a cluster adds up: registers hold no more, so that wider heads have their scores computed by several. */
template <int kSize>
constexpr int kColumns = kSize < 128 ? kSize : 128;

/** A warp's part of each head: the largest score, Σ e^(score - maximum), and values weighted so. */
template <int kSize>
struct Parts {
  float maximum[kWarps][kHeads], total[kWarps][kHeads];
  float out[kWarps][kHeads][kSize + 4];
};

/** Elements 8 · (lane % 4) and on of each 32 of a row: two products sum over them. */
template <int kSize>
__device__ void loadRow(const bf16* row, int lane, uint4 (&to)[kSize / 32]) {
#pragma unroll
  for (int i = 0; i < kSize / 32; i++) to[i] = *reinterpret_cast<const uint4*>(row + 32 * i + lane % 4 * 8);
}

/** Of two words, the lower halves or the upper ones. */
__device__ inline uint32_t pairOf(uint32_t first, uint32_t second, bool is_upper) { return __byte_perm(first, second, is_upper ? 0x7632 : 0x5410); }

__device__ inline uint32_t wordOf(const uint4& four, int i) { return i == 0 ? four.x : i == 1 ? four.y : i == 2 ? four.z : four.w; }

/** The highest, or the sum, over the four lanes that share a row of a product. */
template <typename Join>
__device__ float joinQuad(float value, Join join) {
  value = join(value, __shfl_xor_sync(~0u, value, 1));
  return join(value, __shfl_xor_sync(~0u, value, 2));
}

/** What a warp knows of the rows that it has seen; each lane of two heads. */
template <int kSize>
struct Seen {
  float maximum[2] = {-INFINITY, -INFINITY}, total[2] = {};
  float out[kSize / 8][4] = {};

  /** @param scores of two tiles of 8 rows, -inf where a row is not seen; they become weights */
  __device__ void rescale(float (&scores)[2][4]) {
#pragma unroll
    for (int h = 0; h < 2; h++) {
      const float highest = joinQuad(fmaxf(fmaxf(scores[0][2 * h], scores[0][2 * h + 1]), fmaxf(scores[1][2 * h], scores[1][2 * h + 1])), Maximum{});
      const float next = fmaxf(maximum[h], highest), from = next == -INFINITY ? 0 : next;
      const float keep = exp2Fast((maximum[h] - from) * kLog2E);
      maximum[h] = next, total[h] *= keep;
#pragma unroll
      for (int n = 0; n < 2; n++)
#pragma unroll
        for (int i = 0; i < 2; i++) total[h] += scores[n][2 * h + i] = exp2Fast((scores[n][2 * h + i] - from) * kLog2E);
#pragma unroll
      for (int n = 0; n < kSize / 8; n++) out[n][2 * h] *= keep, out[n][2 * h + 1] *= keep;
    }
  }
};

/** Scores of the rows from `first` on: lane / 4 and eight more are the heads, lane % 4 the rows. */
template <int kSize>
__device__ void scoreRows(const AttentionShape& s, const Query& query, const bf16* keys, const uint4 (&q)[2][kSize / 32], int first, int lane,
                          float (&scores)[2][4]) {
#pragma unroll
  for (int n = 0; n < 2; n++) {
    const int at = min(first + 8 * n + lane / 4, query.position);
    uint4 key[kSize / 32];
    loadRow<kSize>(keys + query.rowOf(at) * s.kv_heads * kSize, lane, key);
#pragma unroll
    for (int i = 0; i < 4; i++) scores[n][i] = 0;
#pragma unroll
    for (int i = 0; i < kSize / 32; i++) {
      const uint32_t low[4] = {q[0][i].x, q[1][i].x, q[0][i].y, q[1][i].y}, high[4] = {q[0][i].z, q[1][i].z, q[0][i].w, q[1][i].w};
      multiply(scores[n], low, key[i].x, key[i].y);
      multiply(scores[n], high, key[i].z, key[i].w);
    }
#pragma unroll
    for (int i = 0; i < 4; i++) {
      const int row = first + 8 * n + lane % 4 * 2 + i % 2;
      float score = scores[n][i] * s.scale;
      if (s.soft_cap != 0) score = s.soft_cap * tanhf(score / s.soft_cap);
      scores[n][i] = row <= query.position && row >= query.first ? score : -INFINITY;
    }
  }
}

/** Values of the rows that a lane weighs: two neighbors of each eight, elements 8 · (lane / 4) and on of each 64. */
template <int kSize>
__device__ void loadValues(const AttentionShape& s, const Query& query, const bf16* values, int first, int lane,
                           uint4 (&to)[4][kColumns<kSize> / 64]) {
#pragma unroll
  for (int i = 0; i < 4; i++) {
    const int at = min(first + i / 2 * 8 + lane % 4 * 2 + i % 2, query.position);
    const bf16* row = values + query.rowOf(at) * s.kv_heads * kSize + lane / 4 * 8;
#pragma unroll
    for (int c = 0; c < kColumns<kSize> / 64; c++) to[i][c] = *reinterpret_cast<const uint4*>(row + 64 * c);
  }
}

/** Block (split, part of the columns, key head, sequence). */
template <int kSize>
__global__ void __launch_bounds__(kThreads) togetherKernel(const Forward p, int splits) {
  constexpr int kOwn = kColumns<kSize>, kColumnParts = kSize / kOwn;
  __shared__ Parts<kOwn> parts;
  const AttentionShape& s = p.shape;
  const int split = static_cast<int>(blockIdx.x) % splits, columns = static_cast<int>(blockIdx.x) / splits % kColumnParts * kOwn;
  const int cluster = static_cast<int>(blockIdx.x) / (splits * kColumnParts);
  const int kv_head = cluster % s.kv_heads, group = s.heads / s.kv_heads;
  const Query query = queryOf(s, cluster / s.kv_heads);
  if (query.token < 0) return;
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t heads = (int64_t{query.token} * s.heads + kv_head * group) * kSize;
  const bf16* keys = static_cast<const bf16*>(p.k) + kv_head * kSize;
  const bf16* values = static_cast<const bf16*>(p.v) + kv_head * kSize + columns;
  uint4 q[2][kSize / 32] = {};
#pragma unroll
  for (int h = 0; h < 2; h++)
    if (lane / 4 + 8 * h < group) loadRow<kSize>(static_cast<const bf16*>(p.q) + heads + (lane / 4 + 8 * h) * kSize, lane, q[h]);

  Seen<kOwn> seen;
  const int step = splits * kWarps * kRows;
  for (int first = (query.first / kRows + split * kWarps + warp) * kRows; first <= query.position; first += step) {
    uint4 value[4][kOwn / 64];
    loadValues<kSize>(s, query, values, first, lane, value);
    float scores[2][4];
    scoreRows<kSize>(s, query, keys, q, first, lane, scores);
    seen.rescale(scores);
    const uint32_t weights[4] = {packBf16(scores[0][0], scores[0][1]), packBf16(scores[0][2], scores[0][3]), packBf16(scores[1][0], scores[1][1]),
                                 packBf16(scores[1][2], scores[1][3])};
#pragma unroll
    for (int c = 0; c < kOwn / 64; c++)
#pragma unroll
      for (int j = 0; j < 8; j++)
        multiply(seen.out[8 * c + j], weights, pairOf(wordOf(value[0][c], j / 2), wordOf(value[1][c], j / 2), j % 2),
                 pairOf(wordOf(value[2][c], j / 2), wordOf(value[3][c], j / 2), j % 2));
  }

#pragma unroll
  for (int h = 0; h < 2; h++) {
    const int head = lane / 4 + 8 * h;
    const float total = joinQuad(seen.total[h], Sum{});
    if (head >= group) continue;
    if (lane % 4 == 0) parts.maximum[warp][head] = seen.maximum[h], parts.total[warp][head] = total;
#pragma unroll
    for (int n = 0; n < kOwn / 8; n++)
#pragma unroll
      for (int i = 0; i < 2; i++) parts.out[warp][head][n / 8 * 64 + (lane % 4 * 2 + i) * 8 + n % 8] = seen.out[n][2 * h + i];
  }
  shareCluster();
  for (int index = split * kThreads + static_cast<int>(threadIdx.x); index < group * kOwn; index += splits * kThreads) {
    const int head = index / kOwn, c = index % kOwn;
    float maximum = -INFINITY, total = 0, out = 0;
    for (int part = 0; part < splits * kWarps; part++) maximum = fmaxf(maximum, loadFromBlock(&parts.maximum[part % kWarps][head], part / kWarps));
    for (int part = 0; part < splits * kWarps; part++) {
      const int of = part % kWarps, block = part / kWarps;
      const float by = expf(loadFromBlock(&parts.maximum[of][head], block) - maximum);
      total += by * loadFromBlock(&parts.total[of][head], block), out += by * loadFromBlock(&parts.out[of][head][c], block);
    }
    if (p.sinks) out *= joinSink(p.sinks[kv_head * group + head], maximum, total);
    static_cast<bf16*>(p.out)[heads + head * kSize + columns + c] = __float2bfloat16_rn(out / total);
  }
  // Nobody ends while others read its parts.
  meetCluster();
}

template <int kSize>
const char* launch(const Forward& p, cudaStream_t stream) {
  const auto kernel = togetherKernel<kSize>;
  const int splits = hasClusters(kernel) ? kBlocks : 1;
  const unsigned clusters = static_cast<unsigned>(p.shape.kv_heads) * p.shape.documents * (kSize / kColumns<kSize>);
  ClusterLaunch{splits, kThreads, 0}.start(kernel, clusters, stream, p, splits);
  return nullptr;
}

}  // namespace

bool servesTogether(const AttentionShape& s) {
  const bool isSize = s.head_size == 64 || s.head_size == 128 || s.head_size == 256;
  return s.sequences && s.type == DType::bf16 && s.cache_type == DType::bf16 && s.heads / s.kv_heads <= kHeads && isSize;
}

const char* decodeTogether(const Forward& p, cudaStream_t stream) {
  if (p.shape.head_size == 64) return launch<64>(p, stream);
  return p.shape.head_size == 128 ? launch<128>(p, stream) : launch<256>(p, stream);
}

}  // namespace anneal::cuda
