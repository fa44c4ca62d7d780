#pragma once

#include "chunk_tokens.cuh"

namespace anneal::cuda {
namespace {

constexpr int kInverseStride = kWindow + 8;  // against conflicts of banks
constexpr int kBlock = kWindow / 2;

/** L, and in its place T: [kWindow, kInverseStride], float32. */
struct Inverse {
  float* at;

  __device__ float& operator()(int i, int j) const { return at[i * kInverseStride + j]; }

  /** T = (1 + L)⁻¹: two blocks on the diagonal by substitution, and below them -T₂₂ L₂₁ T₁₁. Waits for L. */
  __device__ void invert() const {
    __syncthreads();
    const int warp = static_cast<int>(threadIdx.x) / kWarp, column = laneOf();
    float x[kBlock];
    if (warp < 2) {
      const float* block = at + warp * kBlock * (kInverseStride + 1);
#pragma unroll
      for (int i = 0; i < kBlock; i++) {
        float sum = i == column ? 1 : 0;
#pragma unroll
        for (int j = 0; j < i; j++) sum = fmaf(-block[i * kInverseStride + j], x[j], sum);
        x[i] = sum;
      }
    }
    __syncthreads();
    if (warp < 2)
#pragma unroll
      for (int i = 0; i < kBlock; i++) (*this)(warp * kBlock + i, warp * kBlock + column) = x[i];
    // L₂₁ T₁₁ is put above the diagonal for a while.
    const int i = static_cast<int>(threadIdx.x) / 8, first = static_cast<int>(threadIdx.x) % 8 * 4;
    __syncthreads();
    setFour(&(*this)(i, kBlock + first), 1, kBlock + i, 0, first);
    __syncthreads();
    setFour(&(*this)(kBlock + i, first), -1, kBlock + i, kBlock, kBlock + first);
    __syncthreads();
#pragma unroll
    for (int c = 0; c < 4; c++) (*this)(i, kBlock + first + c) = 0;
    __syncthreads();
  }

 private:
  /** Four elements of a product of blocks: row `row` from column `inner` on, by the upper rows from `column` on. */
  __device__ void setFour(float* to, float sign, int row, int inner, int column) const {
    float sums[4] = {};
#pragma unroll 8
    for (int j = 0; j < kBlock; j++) {
      const float x = (*this)(row, inner + j);
      const float4 y = *reinterpret_cast<const float4*>(&(*this)(j, column));
      sums[0] = fmaf(x, y.x, sums[0]), sums[1] = fmaf(x, y.y, sums[1]), sums[2] = fmaf(x, y.z, sums[2]), sums[3] = fmaf(x, y.w, sums[3]);
    }
    *reinterpret_cast<float4*>(to) = make_float4(sign * sums[0], sign * sums[1], sign * sums[2], sign * sums[3]);
  }
};

constexpr int kInverseBytes = kWindow * kInverseStride * 4;

template <bool kBackward>
constexpr int kPartsBytes = (kBackward ? 5 : 3) * kTileBytes + kInverseBytes;

/** A block a window of a head: W, U and the factors; in the backward pass X and Y. */
template <bool kBackward>
__global__ void __launch_bounds__(kWindowThreads, 2) partsKernel(GatedDelta<Bf16> of, Packed packed, const Bf16* dout, ChunkParts to) {
  extern __shared__ __align__(128) char shared[];
  __shared__ ChunkTokens its;
  __shared__ float reads[kWindow], writes[kWindow];  // factors of keys
  const int64_t window = blockIdx.x, start = window * kWindow;
  const int head = static_cast<int>(blockIdx.y), count = static_cast<int>(min(of.tokens - start, int64_t{kWindow}));
  char *keys = shared, *values = shared + kTileBytes, *queries = values + 2 * kTileBytes;
  const uint32_t k = sharedAddress(keys), v = k + kTileBytes, scratch = v + kTileBytes, q = scratch + kTileBytes, d = q + kTileBytes;
  const Inverse T{reinterpret_cast<float*>(shared + (kBackward ? 5 : 3) * kTileBytes)};
  const int keyHead = of.keyHeadOf(head);
  const int64_t column = int64_t{head} * kHead;
  copyRows<kHead>(keys, of.key(0, keyHead), of.columns, start, of.tokens);
  copyRows<kHead>(values, of.qkv + of.valueColumn(head), of.columns, start, of.tokens);
  if constexpr (kBackward) {
    copyRows<kHead>(queries, of.query(0, keyHead), of.columns, start, of.tokens);
    copyRows<kHead>(queries + kTileBytes, dout + column, of.values(), start, of.tokens);
  }
  commitCopies();
  its.findDocuments(packed, start, count);
  __syncthreads();
  its.findHead(of, start, count, head);
  waitForCopies();
  __syncthreads();
  its.findScales(of, kBackward ? queries : nullptr, keys);
  __syncthreads();
  const int row = warpRow(), half = warpHalf();
  if (threadIdx.x < kWindow) {
    const int i = static_cast<int>(threadIdx.x);
    reads[i] = its.beta[i] * its.fromBefore[i] * its.keyScale[i];
    writes[i] = its.toNext[i] * its.keyScale[i];
    const float ofQuery = kBackward ? its.fromBefore[i] * its.queryScale[i] : 0;
    to.factors[(int64_t{head} * gridDim.x + window) * kWindow + i] = {writes[i], ofQuery, -reads[i], its.carried()};
  }
  {
    float kk[kWindow / 16][4] = {};  // half of the columns
    addProduct<kHead>(kk, RowsOf<kHead>(k, row), Across<kHead>(k, half * kWindow / 2));
    forPairs(kk, [&](int h, int c, float first, float second) {
      const int i = row + pairRow(h), j = half * kWindow / 2 + c;
      const float factor = its.beta[i] * its.keyScale[i];
      T(i, j) = j < i ? factor * its.keyScale[j] * its.between(i, j) * first : 0;
      T(i, j + 1) = j + 1 < i ? factor * its.keyScale[j + 1] * its.between(i, j + 1) * second : 0;
    });
  }
  T.invert();
  {
    float W[kHalf / 8][4] = {};
    addProduct<kWindow>(W, Computed{[&](int r, int j) { return T(row + r, j) * reads[j]; }},
                        Down<kHead>(k, half * kHalf));
    storeHalf(W, scratch, to.W, of.values(), column, start, of.tokens);
  }
  {
    float U[kHalf / 8][4] = {};
    addProduct<kWindow>(U, Computed{[&](int r, int j) { return T(row + r, j) * its.beta[j]; }}, Down<kHead>(v, half * kHalf));
    storeHalf(U, scratch, to.changes, of.values(), column, start, of.tokens);
  }
  if constexpr (kBackward) {
    {
      float X[kHalf / 8][4] = {};
      addProduct<kWindow>(X, Computed{[&](int r, int i) { return T(i, row + r) * writes[i]; }}, Down<kHead>(k, half * kHalf));
      storeHalf(X, scratch, to.X, of.values(), column, start, of.tokens);
    }
    __syncthreads();  // the values are no more needed: T and P T take their place
    char *rounded = values, *both = values + kTileBytes / 2;
    for (int e = static_cast<int>(threadIdx.x); e < kWindow * kWindow / 2; e += kWindowThreads) {
      const int i = e / (kWindow / 2), j = e % (kWindow / 2) * 2;
      pairIn<kWindow>(rounded, i, j) = packBf16(T(i, j), T(i, j + 1));
    }
    __syncthreads();
    float P[kWindow / 8][4] = {};
    addProduct<kHead>(P, RowsOf<kHead>(q, row), Across<kHead>(k, 0));
    forPairs(P, [&](int h, int j, float& first, float& second) {
      const float factor = its.queryScale[row + pairRow(h)];
      first *= factor * its.keyScale[j] * its.between(row + pairRow(h), j);
      second *= factor * its.keyScale[j + 1] * its.between(row + pairRow(h), j + 1);
    });
    float PT[kWindow / 16][4] = {};
    addProduct<kWindow>(PT, SumsOf{P}, Down<kWindow>(v, half * kWindow / 2));
    forPairs(PT, [&](int h, int j, float first, float second) {
      pairIn<kWindow>(both, row + pairRow(h), half * kWindow / 2 + j) = packBf16(first, second);
    });
    __syncthreads();
    float Y[kHalf / 8][4] = {};
    addProduct<kWindow>(Y, ColumnsOf<kWindow>(v + kTileBytes / 2, row), Down<kHead>(d, half * kHalf));
    storeHalf(Y, scratch, to.dchanges, of.values(), column, start, of.tokens);
  }
}

}  // namespace
}  // namespace anneal::cuda
