#include "attention.h"
#include "plain_tile.cuh"

namespace anneal::cuda {
namespace {

struct Shared {
  PlainTile left, right, weights;
  float shrink[kPlainTile];
  float out[kPlainTile * kPlainColumns];
};

template <typename Query, typename Key>
__global__ void __launch_bounds__(kPlainThreads) forwardKernel(const Forward p) {
  extern __shared__ __align__(16) char memory[];
  Shared& shared = *reinterpret_cast<Shared*>(memory);
  const AttentionShape& s = p.shape;
  const int head = blockIdx.x, kv_head = head / (s.heads / s.kv_heads), size = s.head_size;
  const Tile tile = tileOf(gridDim.y - 1 - blockIdx.y, s, kPlainTile);
  if (tile.begin >= tile.end) return;
  const int first_column = blockIdx.z * kPlainColumns, columns = min(kPlainColumns, size - first_column);

  const int64_t q_stride = int64_t{s.heads} * size, kv_stride = int64_t{s.kv_heads} * size;
  const Query* q = static_cast<const Query*>(p.q) + head * size;
  const Key* k = static_cast<const Key*>(p.k) + kv_head * size;
  const Key* v = static_cast<const Key*>(p.v) + kv_head * size;
  const int x = threadIdx.x % 32, y = threadIdx.x / 32;
  for (int i = threadIdx.x; i < kPlainTile * kPlainColumns; i += kPlainThreads) shared.out[i] = 0;

  // A sink begins every row: a score of weight 1 that has no value.
  float maximum[kPlainRows], total[kPlainRows];
  for (float& m : maximum) m = p.sinks ? p.sinks[head] : -INFINITY;
  for (float& t : total) t = p.sinks ? 1.f : 0.f;
  const int key_end = tile.end + tile.shift;
  for (int key = firstKey(tile, tile.begin, s.window); key < key_end; key += kPlainTile) {
    float scores[kPlainRows] = {};
    for (int column = 0; column < size; column += kPlainTile) {
      __syncthreads();
      loadPlainTile(shared.left, q, q_stride, tile.begin, tile.end, column, size);
      loadPlainTile(shared.right, k, kv_stride, key, key_end, column, size);
      __syncthreads();
      addProducts(scores, shared.left, shared.right);
    }
#pragma unroll
    for (int i = 0; i < kPlainRows; i++) {
      const int row = tile.begin + y + 8 * i, j = key + x;
      const bool seen = row < tile.end && j <= row + tile.shift && j >= firstKey(tile, row, s.window);
      const float score = seen ? cappedScore(scores[i] * s.scale, s.soft_cap) : -INFINITY;
      const float highest = fmaxf(maximum[i], warpMaximum(score));
      const float weight = seen ? expf(score - highest) : 0.f, shrink = maximum[i] == -INFINITY ? 0.f : expf(maximum[i] - highest);
      total[i] = total[i] * shrink + warpSum(weight);
      maximum[i] = highest;
      shared.weights[y + 8 * i][x] = weight;
      shared.shrink[y + 8 * i] = shrink;
    }
    for (int column = 0; column < columns; column += kPlainTile) {
      __syncthreads();
      loadPlainTile(shared.right, v, kv_stride, key, key_end, first_column + column, size);
      __syncthreads();
      addWeighted<true>(shared.out, column, shared.shrink, shared.weights, shared.right);
    }
  }
  __syncthreads();
#pragma unroll
  for (int i = 0; i < kPlainRows; i++) {
    const int row = tile.begin + y + 8 * i;
    if (row >= tile.end) continue;
    if (p.lse && x == 0 && blockIdx.z == 0) p.lse[int64_t{head} * s.tokens + row] = maximum[i] + logf(total[i]);
    Query* out = static_cast<Query*>(p.out) + row * q_stride + head * size + first_column;
    for (int c = x; c < columns; c += 32) out[c] = fromFloat<Query>(shared.out[(y + 8 * i) * kPlainColumns + c] / total[i]);
  }
}

}  // namespace

const char* plainForward(const Forward& forward, cudaStream_t stream) {
  const AttentionShape& s = forward.shape;
  const dim3 grid(s.heads, slotCount(s, kPlainTile), (s.head_size + kPlainColumns - 1) / kPlainColumns);
  const bool queries = s.type == DType::bf16, keys = s.cache_type == DType::bf16;
  const auto kernel = queries ? (keys ? forwardKernel<__nv_bfloat16, __nv_bfloat16> : forwardKernel<__nv_bfloat16, float>)
                              : (keys ? forwardKernel<float, __nv_bfloat16> : forwardKernel<float, float>);
  return launchKernel(kernel, grid, kPlainThreads, sizeof(Shared), stream, forward);
}

}  // namespace anneal::cuda
