#include "attention.h"
#include "plain_tile.cuh"

namespace anneal::cuda {
namespace {

struct Shared {
  PlainTile queries, keys, d_outs, values;
  PlainTile weights, d_scores;
  float first[kPlainTile * kPlainColumns], second[kPlainTile * kPlainColumns];
};
constexpr size_t kQueriesBytes = sizeof(Shared) - sizeof(float) * kPlainTile * kPlainColumns;

/** Weights and gradients of scores (without the scale) of 32 queries from `row` and 32 keys from `key`, to shared memory. */
template <typename E>
__device__ void scoreTile(Shared& shared, const Backward& p, const Tile& tile, int head, int row, int row_end, int key) {
  const AttentionShape& s = p.shape;
  const int size = s.head_size, kv_head = head / (s.heads / s.kv_heads);
  const int64_t q_stride = int64_t{s.heads} * size, kv_stride = int64_t{s.kv_heads} * size;
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  float scores[kPlainRows] = {}, d_weights[kPlainRows] = {};
  for (int column = 0; column < size; column += kPlainTile) {
    __syncthreads();
    loadPlainTile(shared.queries, static_cast<const E*>(p.q) + head * size, q_stride, row, row_end, column, size);
    loadPlainTile(shared.d_outs, static_cast<const E*>(p.d_out) + head * size, q_stride, row, row_end, column, size);
    loadPlainTile(shared.keys, static_cast<const E*>(p.k) + kv_head * size, kv_stride, key, tile.document_end, column, size);
    loadPlainTile(shared.values, static_cast<const E*>(p.v) + kv_head * size, kv_stride, key, tile.document_end, column, size);
    __syncthreads();
    addProducts(scores, shared.queries, shared.keys);
    addProducts(d_weights, shared.d_outs, shared.values);
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kPlainRows; i++) {
    const int r = row + y + 8 * i, j = key + x;
    const bool seen = r < row_end && j <= r && j >= firstKey(tile, r, s.window);
    const int64_t at = int64_t{head} * s.tokens + r;
    const float score = cappedScore(scores[i] * s.scale, s.soft_cap);
    const float weight = seen ? expf(score - p.lse[at]) : 0.f;
    shared.weights[y + 8 * i][x] = weight;
    shared.d_scores[y + 8 * i][x] = seen ? weight * (d_weights[i] - p.delta[at]) * capSlope(score, s.soft_cap) : 0.f;
  }
  __syncthreads();
}

template <typename E>
__device__ void storeTile(const float* total, float factor, E* to, int64_t stride, int begin, int end, int columns) {
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  for (int r = y; r < kPlainTile && begin + r < end; r += 8)
    for (int c = x; c < columns; c += 32) to[(begin + r) * stride + c] = fromFloat<E>(total[r * kPlainColumns + c] * factor);
}

template <typename E>
__global__ void __launch_bounds__(kPlainThreads, 2) queriesKernel(const Backward p) {
  extern __shared__ __align__(16) char memory[];
  Shared& shared = *reinterpret_cast<Shared*>(memory);
  const AttentionShape& s = p.shape;
  const int head = blockIdx.x, kv_head = head / (s.heads / s.kv_heads), size = s.head_size;
  const Tile tile = tileOf(gridDim.y - 1 - blockIdx.y, s, kPlainTile);
  if (tile.begin >= tile.end) return;
  const int first_column = blockIdx.z * kPlainColumns, columns = min(kPlainColumns, size - first_column);
  const int64_t q_stride = int64_t{s.heads} * size, kv_stride = int64_t{s.kv_heads} * size;
  for (int i = threadIdx.x; i < kPlainTile * kPlainColumns; i += kPlainThreads) shared.first[i] = 0;
  for (int key = firstKey(tile, tile.begin, s.window); key < tile.end; key += kPlainTile) {
    scoreTile<E>(shared, p, tile, head, tile.begin, tile.end, key);
    for (int column = 0; column < columns; column += kPlainTile) {
      __syncthreads();
      loadPlainTile(shared.keys, static_cast<const E*>(p.k) + kv_head * size, kv_stride, key, tile.end, first_column + column, size);
      __syncthreads();
      addWeighted<true>(shared.first, column, nullptr, shared.d_scores, shared.keys);
    }
  }
  __syncthreads();
  storeTile(shared.first, s.scale, static_cast<E*>(p.dq) + head * size + first_column, q_stride, tile.begin, tile.end, columns);
}

template <typename E>
__global__ void __launch_bounds__(kPlainThreads, 2) keysKernel(const Backward p) {
  extern __shared__ __align__(16) char memory[];
  Shared& shared = *reinterpret_cast<Shared*>(memory);
  const AttentionShape& s = p.shape;
  const int kv_head = blockIdx.x, group = s.heads / s.kv_heads, size = s.head_size;
  const Tile tile = tileOf(blockIdx.y, s, kPlainTile);
  if (tile.begin >= tile.end) return;
  const int first_column = blockIdx.z * kPlainColumns, columns = min(kPlainColumns, size - first_column);
  const int64_t q_stride = int64_t{s.heads} * size, kv_stride = int64_t{s.kv_heads} * size;
  for (int i = threadIdx.x; i < kPlainTile * kPlainColumns; i += kPlainThreads) shared.first[i] = shared.second[i] = 0;
  const int row_end = s.window > 0 ? min(tile.document_end, tile.end - 1 + s.window) : tile.document_end;
  for (int head = kv_head * group; head < (kv_head + 1) * group; head++) {
    for (int row = tile.begin; row < row_end; row += kPlainTile) {
      scoreTile<E>(shared, p, tile, head, row, row_end, tile.begin);
      for (int column = 0; column < columns; column += kPlainTile) {
        __syncthreads();
        loadPlainTile(shared.queries, static_cast<const E*>(p.q) + head * size, q_stride, row, row_end, first_column + column, size);
        loadPlainTile(shared.d_outs, static_cast<const E*>(p.d_out) + head * size, q_stride, row, row_end, first_column + column, size);
        __syncthreads();
        addWeighted<false>(shared.first, column, nullptr, shared.d_scores, shared.queries);
        addWeighted<false>(shared.second, column, nullptr, shared.weights, shared.d_outs);
      }
    }
  }
  __syncthreads();
  storeTile(shared.first, s.scale, static_cast<E*>(p.dk) + kv_head * size + first_column, kv_stride, tile.begin, tile.end, columns);
  storeTile(shared.second, 1.f, static_cast<E*>(p.dv) + kv_head * size + first_column, kv_stride, tile.begin, tile.end, columns);
}

}  // namespace

const char* plainBackward(const Backward& backward, cudaStream_t stream) {
  const AttentionShape& s = backward.shape;
  const int slots = slotCount(s, kPlainTile), parts = (s.head_size + kPlainColumns - 1) / kPlainColumns;
  const bool half = s.type == DType::bf16;
  if (const char* problem = launchKernel(half ? queriesKernel<__nv_bfloat16> : queriesKernel<float>, dim3(s.heads, slots, parts), kPlainThreads,
                                         kQueriesBytes, stream, backward))
    return problem;
  return launchKernel(half ? keysKernel<__nv_bfloat16> : keysKernel<float>, dim3(s.kv_heads, slots, parts), kPlainThreads, sizeof(Shared), stream,
                      backward);
}

}  // namespace anneal::cuda
