#include "attention.h"
#include "cuda/reduce.cuh"
#include "cuda/vectors.cuh"
#include "decode_query.cuh"
#include "sink.cuh"

// One query of each sequence: what counts is to read the cache once, by as many multiprocessors as there are. As FlashDecoding (Dao et al. 2023):
// 64 rows of the cache at a time, each part with its own maximum, parts joined in their order.

namespace anneal::cuda {
namespace {

constexpr int kThreads = 128, kWarps = kThreads / kWarp, kRows = kDecodeRows, kRowsEach = kRows / kWarps;
/** Query heads of one key head that go over a part together. */
constexpr int kHeads = 4;
/** Elements of a head that a thread joins, of heads with at most kMost. */
template <int kMost>
constexpr int kEach = kMost / kThreads;
static_assert(kHeads == kWarps, "each warp makes the weights of one head");

/** Blocks that a multiprocessor has room for: left to itself the compiler spills to make room for more. */
template <int kMost>
constexpr int kBlocksEach = kMost <= 256 ? 4 : 2;

template <int kMost>
struct Shared {
  float q[kHeads][kMost];
  float weights[kHeads][kRows];
  float sums[kWarps][kHeads][kMost];
  float maximum[kHeads], total[kHeads];
};

/** Scores of a warp's rows: eight lanes share a row, four rows go side by side. */
template <int V, int kMost, typename C>
__device__ void scoreRows(const Forward& p, Shared<kMost>& shared, const Query& query, const C* keys, int part) {
  const AttentionShape& s = p.shape;
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  constexpr int kSteps = kRowsEach / 4;
  float dot[kSteps][kHeads] = {};
#pragma unroll
  for (int step = 0; step < kSteps; step++) {
    const int at = part * kRows + warp * kRowsEach + step * 4 + lane / 8;
    if (at > query.position || at < query.first) continue;
    const C* key = keys + query.rowOf(at) * s.kv_heads * s.head_size;
    for (int c = lane % 8 * V; c < s.head_size; c += 8 * V) {
      float values[V];
      load<V>(key + c, values);
#pragma unroll
      for (int h = 0; h < kHeads; h++)
#pragma unroll
        for (int j = 0; j < V; j++) dot[step][h] = fmaf(values[j], shared.q[h][c + j], dot[step][h]);
    }
  }
#pragma unroll
  for (int step = 0; step < kSteps; step++) {
    const int row = warp * kRowsEach + step * 4 + lane / 8, at = part * kRows + row;
    const bool isSeen = at <= query.position && at >= query.first;
#pragma unroll
    for (int h = 0; h < kHeads; h++) {
      float score = joinLanes<8>(dot[step][h], Sum{}) * s.scale;
      if (s.soft_cap != 0) score = s.soft_cap * tanhf(score / s.soft_cap);
      if (lane % 8 == 0) shared.weights[h][row] = isSeen ? score : -INFINITY;
    }
  }
}

/** A warp makes weights of the scores of one head. */
template <int kMost>
__device__ void weighRows(Shared<kMost>& shared) {
  const int head = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  float maximum = -INFINITY, total = 0;
  for (int row = lane; row < kRows; row += kWarp) maximum = fmaxf(maximum, shared.weights[head][row]);
  maximum = joinLanes<kWarp>(maximum, Maximum{});
  for (int row = lane; row < kRows; row += kWarp) total += shared.weights[head][row] = expf(shared.weights[head][row] - maximum);
  total = joinLanes<kWarp>(total, Sum{});
  if (lane == 0) shared.maximum[head] = maximum, shared.total[head] = total;
}

/** Each warp adds up its own rows of values. */
template <int V, int kMost, typename C>
__device__ void addRows(const Forward& p, Shared<kMost>& shared, const Query& query, const C* values, int part) {
  const AttentionShape& s = p.shape;
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  constexpr int kLaneSize = kMost / kWarp;
  float sum[kHeads][kLaneSize] = {};
#pragma unroll 8
  for (int i = 0; i < kRowsEach; i++) {
    const int row = warp * kRowsEach + i, at = part * kRows + row;
    if (at > query.position || at < query.first) continue;
    const C* from = values + query.rowOf(at) * s.kv_heads * s.head_size;
#pragma unroll
    for (int round = 0; round < kLaneSize / V; round++) {
      const int c = (round * kWarp + lane) * V;
      if (c >= s.head_size) break;
      float value[V];
      load<V>(from + c, value);
#pragma unroll
      for (int h = 0; h < kHeads; h++)
#pragma unroll
        for (int j = 0; j < V; j++) sum[h][round * V + j] = fmaf(shared.weights[h][row], value[j], sum[h][round * V + j]);
    }
  }
#pragma unroll
  for (int h = 0; h < kHeads; h++)
#pragma unroll
    for (int round = 0; round < kLaneSize / V; round++) {
      const int c = (round * kWarp + lane) * V;
      if (c >= s.head_size) break;
#pragma unroll
      for (int j = 0; j < V; j++) shared.sums[warp][h][c + j] = sum[h][round * V + j];
    }
}

/** What is known after some parts: the largest score, Σ e^(score - maximum), and values weighted so. */
template <int kMost>
struct Joined {
  float maximum = -INFINITY, total = 0, out[kEach<kMost>] = {};

  __device__ void add(float next_maximum, float next_total, const float (&next)[kEach<kMost>]) {
    const float highest = fmaxf(maximum, next_maximum);
    const float keep = expf(maximum - highest), by = expf(next_maximum - highest);
    total = total * keep + next_total * by, maximum = highest;
#pragma unroll
    for (int i = 0; i < kEach<kMost>; i++) out[i] = out[i] * keep + next[i] * by;
  }

  /** @param sinks of the shape's heads, or null */
  template <typename A>
  __device__ void store(A* to, int size, const float* sinks, int head) {
    const float keep = sinks ? joinSink(sinks[head], maximum, total) : 1.f;
    for (int i = 0, c = static_cast<int>(threadIdx.x); i < kEach<kMost> && c < size; i++, c += kThreads) to[c] = fromFloat<A>(keep * out[i] / total);
  }
};

/** Numbers of a part of a head in `partial`: values, maximum, total. */
__device__ float* partialOf(float* partial, const AttentionShape& s, int head, int part) {
  const int parts = (s.cache_rows + kRows - 1) / kRows;
  return partial + (int64_t{head} * parts + part) * (s.head_size + 2);
}

/** Block (x, key head, sequence): parts x, x + gridDim.x, … of those that the sequence sees, or all in turn. */
template <int kMost, bool kWide, typename A, typename C>
__global__ void __launch_bounds__(kThreads, kBlocksEach<kMost>) decodeKernel(const Forward p, float* partial) {
  __shared__ Shared<kMost> shared;
  const AttentionShape& s = p.shape;
  const Query query = queryOf(s, blockIdx.z);
  if (query.token < 0) return;
  const int kv_head = blockIdx.y, group = s.heads / s.kv_heads, size = s.head_size;
  const A* q = static_cast<const A*>(p.q) + (int64_t{query.token} * s.heads + kv_head * group) * size;
  A* out = static_cast<A*>(p.out) + (int64_t{query.token} * s.heads + kv_head * group) * size;
  const C *keys = static_cast<const C*>(p.k) + kv_head * size, *values = static_cast<const C*>(p.v) + kv_head * size;
  const int first = query.first / kRows, end = query.position / kRows + 1;
  for (int head = 0; head < group; head += kHeads) {
    const int heads = min(kHeads, group - head);
    for (int i = static_cast<int>(threadIdx.x); i < kHeads * size; i += kThreads)
      shared.q[i / size][i % size] = i / size < heads ? toFloat(q[(head + i / size) * size + i % size]) : 0;
    Joined<kMost> joined[kHeads];
    for (int part = first + static_cast<int>(blockIdx.x); part < end; part += static_cast<int>(gridDim.x)) {
      __syncthreads();
      scoreRows<kWide ? 8 : 1>(p, shared, query, keys, part);
      __syncthreads();
      weighRows(shared);
      __syncthreads();
      addRows<kWide ? 4 : 1>(p, shared, query, values, part);
      __syncthreads();
#pragma unroll
      for (int h = 0; h < kHeads; h++) {
        if (h >= heads) break;
        float sum[kEach<kMost>] = {};
        for (int i = 0, c = static_cast<int>(threadIdx.x); i < kEach<kMost> && c < size; i++, c += kThreads)
          for (int warp = 0; warp < kWarps; warp++) sum[i] += shared.sums[warp][h][c];
        if (!partial) {
          joined[h].add(shared.maximum[h], shared.total[h], sum);
          continue;
        }
        float* to = partialOf(partial, s, kv_head * group + head + h, part);
        for (int i = 0, c = static_cast<int>(threadIdx.x); i < kEach<kMost> && c < size; i++, c += kThreads) to[c] = sum[i];
        if (threadIdx.x == 0) to[size] = shared.maximum[h], to[size + 1] = shared.total[h];
      }
    }
    if (!partial)
#pragma unroll
      for (int h = 0; h < kHeads; h++)
        if (h < heads) joined[h].store(out + (head + h) * size, size, p.sinks, kv_head * group + head + h);
    __syncthreads();
  }
}

/** A block for each head joins the parts of the only sequence. */
template <int kMost, typename A>
__global__ void __launch_bounds__(kThreads) joinKernel(const Forward p, float* partial) {
  const AttentionShape& s = p.shape;
  const Query query = queryOf(s, 0);
  const int head = blockIdx.x, size = s.head_size;
  Joined<kMost> joined;
#pragma unroll 4
  for (int part = query.first / kRows; part <= query.position / kRows; part++) {
    const float* from = partialOf(partial, s, head, part);
    float next[kEach<kMost>] = {};
    for (int i = 0, c = static_cast<int>(threadIdx.x); i < kEach<kMost> && c < size; i++, c += kThreads) next[i] = from[c];
    joined.add(from[size], from[size + 1], next);
  }
  joined.store(static_cast<A*>(p.out) + head * size, size, p.sinks, head);
}

/** Blocks of the only sequence beside each other: more would be empty, or wait for those. */
constexpr int kMostBlocks = 256;

template <int kMost, typename A, typename C>
const char* launch(const Forward& p, float* partial, cudaStream_t stream) {
  const AttentionShape& s = p.shape;
  const int parts = (s.cache_rows + kRows - 1) / kRows;
  const dim3 grid(partial ? static_cast<unsigned>(parts < kMostBlocks ? parts : kMostBlocks) : 1, s.kv_heads, s.sequences ? s.documents : 1);
  const auto kernel = s.head_size % 8 == 0 ? decodeKernel<kMost, true, A, C> : decodeKernel<kMost, false, A, C>;
  kernel<<<grid, kThreads, 0, stream>>>(p, partial);
  if (partial) joinKernel<kMost, A><<<s.heads, kThreads, 0, stream>>>(p, partial);
  return nullptr;
}

}  // namespace

const char* decodeForward(const Forward& p, float* partial, cudaStream_t stream) {
  const int size = p.shape.head_size;
  if (size > kMostDecodeSize) return "several sequences with heads of more than 512 elements have no kernel on CUDA";
  if (!partial && servesTogether(p.shape)) return decodeTogether(p, stream);
  const char* problem = nullptr;
  const char* type = withTypes(p.shape.type, p.shape.cache_type, [&](auto a, auto c) {
    using A = decltype(a);
    using C = decltype(c);
    problem = size <= 256 ? launch<256, A, C>(p, partial, stream) : launch<kMostDecodeSize, A, C>(p, partial, stream);
  });
  return type ? type : problem;
}

}  // namespace anneal::cuda
