#pragma once

#include "cuda/elements.cuh"
#include "cuda/windows.cuh"

// The columns of a state do not know of each other: a sweep goes through the tokens of a document with kColumnLanes threads for each
// column of a head's state, which they hold in registers.

namespace anneal::cuda {
namespace {

constexpr int kStage = 16;  // tokens that are read together, a part of a window; a stage ends at a multiple of them, or with its document
constexpr int kColumns = 32;
constexpr int kColumnLanes = 8;
constexpr int kSweepThreads = kColumns * kColumnLanes;
constexpr int kTokenLanes = kSweepThreads / kStage;
constexpr float kLengthEps = 1e-6f;  // under the root of the lengths of queries and keys, as the models are trained with

/** The inputs of the op, and how their columns divide into heads. */
template <typename A>
struct GatedDelta {
  const A *qkv, *a, *b;
  const float *decay, *shift;
  int64_t tokens, columns;
  int heads, keyHeads, keySize, valueSize;

  __host__ __device__ int64_t values() const { return int64_t{heads} * valueSize; }
  __device__ int keyHeadOf(int head) const { return head / (heads / keyHeads); }
  __device__ const A* query(int64_t token, int keyHead) const { return qkv + token * columns + keyHead * keySize; }
  __device__ const A* key(int64_t token, int keyHead) const { return query(token, keyHeads + keyHead); }
  __device__ int64_t valueColumn(int head) const { return int64_t{2} * keyHeads * keySize + int64_t{head} * valueSize; }
  __device__ float queryScale(float squares) const { return 1.0f / sqrtf(static_cast<float>(keySize) * (squares + kLengthEps)); }
  __device__ float keyScale(float squares) const { return 1.0f / sqrtf(squares + kLengthEps); }
  __device__ float beta(int64_t token, int head) const { return sigmoid(toFloat(b[token * heads + head])); }
  __device__ float gate(int64_t token, int head) const { return toFloat(a[token * heads + head]) + shift[head]; }
  /** The logarithm of a token's decay. */
  __device__ float g(int64_t token, int head) const { return -expf(decay[head]) * softplus(gate(token, head)); }
};

/** Values or gradients of one head: element c of token t is data[t · stride + c]. */
template <typename A>
struct HeadRows {
  const A* data;
  int64_t stride;
};

template <int K>
struct alignas(16) Stage {
  float q[kStage][K], k[kStage][K];  // normed; 0 from keySize on
  float values[kStage][kColumns], results[kStage][kColumns];
  float qk[kStage], decay[kStage], beta[kStage];
};

/** What a thread has read of the next stage: every kTokenLanes-th element of its token's query and key, and some values. */
template <int K, typename A>
struct Ahead {
  static constexpr int kElements = K / kTokenLanes, kValues = kStage * kColumns / kSweepThreads, kLines = kSweepThreads / kColumns;
  float q[kElements], k[kElements], values[kValues], g, beta;

  __device__ void read(const GatedDelta<A>& of, int head, const HeadRows<A>& rows, int column, int64_t first, int64_t end) {
    const int64_t token = first + threadIdx.x / kTokenLanes;
    const int lane = static_cast<int>(threadIdx.x) % kTokenLanes;
    const bool real = token < end;
    const A *queries = of.query(token, of.keyHeadOf(head)), *keys = of.key(token, of.keyHeadOf(head));
#pragma unroll
    for (int i = 0; i < kElements; i++) {
      const int at = lane + i * kTokenLanes;
      q[i] = real && at < of.keySize ? toFloat(queries[at]) : 0;
      k[i] = real && at < of.keySize ? toFloat(keys[at]) : 0;
    }
    g = real ? of.g(token, head) : 0;
    beta = real ? of.beta(token, head) : 0;
    const int valueColumn = column + static_cast<int>(threadIdx.x) % kColumns;
#pragma unroll
    for (int i = 0; i < kValues; i++) {
      const int64_t t = first + threadIdx.x / kColumns + i * kLines;
      values[i] = t < end && valueColumn < of.valueSize ? toFloat(rows.data[t * rows.stride + valueColumn]) : 0;
    }
  }

  __device__ void put(const GatedDelta<A>& of, Stage<K>& stage) const {
    const int token = static_cast<int>(threadIdx.x) / kTokenLanes, lane = static_cast<int>(threadIdx.x) % kTokenLanes;
    float qq = 0, kk = 0, qk = 0;
#pragma unroll
    for (int i = 0; i < kElements; i++) {
      qq = fmaf(q[i], q[i], qq);
      kk = fmaf(k[i], k[i], kk);
      qk = fmaf(q[i], k[i], qk);
    }
    const float queryScale = of.queryScale(joinLanes<kTokenLanes>(qq, Sum{})), keyScale = of.keyScale(joinLanes<kTokenLanes>(kk, Sum{}));
    qk = joinLanes<kTokenLanes>(qk, Sum{});
#pragma unroll
    for (int i = 0; i < kElements; i++) {
      stage.q[token][lane + i * kTokenLanes] = q[i] * queryScale;
      stage.k[token][lane + i * kTokenLanes] = k[i] * keyScale;
    }
    if (lane == 0) {
      stage.qk[token] = qk * queryScale * keyScale;
      stage.decay[token] = expf(g);
      stage.beta[token] = beta;
    }
#pragma unroll
    for (int i = 0; i < kValues; i++) stage.values[threadIdx.x / kColumns + i * kLines][threadIdx.x % kColumns] = values[i];
  }
};

/** Calls visit(token, line, column) for the results of a stage, neighboring columns by neighboring threads. */
template <typename Visit>
__device__ void forResults(int64_t first, int64_t end, int column, int valueSize, Visit visit) {
  const int c = static_cast<int>(threadIdx.x) % kColumns;
  if (column + c >= valueSize) return;
  for (int line = static_cast<int>(threadIdx.x) / kColumns; line < kStage && first + line < end; line += kSweepThreads / kColumns)
    visit(first + line, line, column + c);
}

/** Rows of the state are held four by four: the first of the i-th four of a thread. */
__device__ inline int rowOf(int i) { return (i * kColumnLanes + static_cast<int>(threadIdx.x) % kColumnLanes) * 4; }

/** Four elements of a row of a stage, for the i-th four of a thread. */
template <int K>
__device__ float4 fourOf(const float (&row)[K], int i) {
  return *reinterpret_cast<const float4*>(row + rowOf(i));
}

/** States at multiples of kWindow tokens but the first: [·, heads, valueSize, rows], rows being keySize up to a multiple of 4. */
struct KeptStates {
  float* data;
  int heads, valueSize, rows;

  __device__ float* at(int64_t token, int head) const { return data + ((token / kWindow - 1) * heads + head) * valueSize * rows; }

  template <int R>
  __device__ void keep(int64_t token, int head, int column, const float (&S)[R]) const {
    if (column >= valueSize) return;
    float* to = at(token, head) + int64_t{column} * rows;
#pragma unroll
    for (int i = 0; i < R / 4; i++)
      if (rowOf(i) < rows) *reinterpret_cast<float4*>(to + rowOf(i)) = make_float4(S[4 * i], S[4 * i + 1], S[4 * i + 2], S[4 * i + 3]);
  }
};

}  // namespace
}  // namespace anneal::cuda
