#pragma once

#include "../expert_linear/nf4_rows.cuh"
#include "cuda/cluster.cuh"
#include "cuda/reduce.cuh"
#include "cuda/vectors.cuh"

// y = x · weightᵀ (+ c) for up to 64 rows of x in bf16, as in decoding several answers: what counts is to read the codes once, and as they lie in memory.
// Lanes decode them into the registers that tensor cores read, in an order of columns of their own, which x has in shared memory as well. The blocks of
// a cluster share the columns; their sums are joined in their order, so that a row of y has the same bits whatever the others are.

namespace anneal::cuda {

constexpr int kMostDecodedRows = 64;

constexpr int kDecodedThreads = 256;
/** Rows of the weight: of a warp, and of a block. */
constexpr int kWarpWeights = 16, kBlockWeights = kDecodedThreads / kWarp * kWarpWeights;
/** Columns in shared memory at a time. Of each row a lane decodes a block of NF4. */
constexpr int kDecodedStep = 4 * kNf4Block;
constexpr int kStepBytes = kDecodedStep * 2;
/** Of the sums of a row of x, padded against conflicts of banks. */
constexpr int kSumStride = kBlockWeights + 4;

template <typename AbsmaxOf>
struct DecodedRows {
  const uint8_t* codes;
  AbsmaxOf absmax;
  const bf16* x;
  const bf16* c;
  bf16* y;
  int tokens, rows, columns;  // of the weight, both latter
};

/** Where a row of x has eight columns, the i-th of those of lane % 4: eight lanes that read beside each other meet no bank twice. */
__device__ inline int pieceOffset(int token, int lane, int i) { return token * kStepBytes + (((4 * i + lane % 4) ^ (token % 2 * 4)) * 16); }

/** What a lane decodes in a step: a block of each of two rows of the weight. */
template <typename AbsmaxOf>
struct LaneCodes {
  uint4 words[2][2];
  typename AbsmaxOf::Held absmax[2];

  __device__ void read(const DecodedRows<AbsmaxOf>& p, int row, int column) {
#pragma unroll
    for (int r = 0; r < 2; r++) {
      const uint64_t at = static_cast<uint64_t>(min(row + 8 * r, p.rows - 1)) * p.columns + min(column, p.columns - kNf4Block);
      const uint4* from = reinterpret_cast<const uint4*>(p.codes + at / 2);
      words[r][0] = __ldcs(from), words[r][1] = __ldcs(from + 1);
      absmax[r] = p.absmax.held(at / kNf4Block);
    }
  }
  __device__ uint32_t word(int r, int i) const {
    const uint4& four = words[r][i / 4];
    return i % 4 == 0 ? four.x : i % 4 == 1 ? four.y : i % 4 == 2 ? four.z : four.w;
  }
};

/** Columns of all rows of x, zeros where there are none. */
template <int kTiles, typename AbsmaxOf>
__device__ void copyRows(uint32_t to, const DecodedRows<AbsmaxOf>& p, int step) {
  constexpr int kPieces = kDecodedStep / 8;
#pragma unroll 1
  for (int index = static_cast<int>(threadIdx.x); index < 8 * kTiles * kPieces; index += kDecodedThreads) {
    const int row = index / kPieces, piece = index % kPieces, column = step * kDecodedStep + 8 * piece;
    const bool is_there = row < p.tokens && column < p.columns;
    copyAsync16(to + pieceOffset(row, piece / 8, piece % 8), p.x + (is_there ? int64_t{row} * p.columns + column : 0), is_there);
  }
}

/** Block (region · splits + split): a cluster has kBlockWeights rows of the weight, and a block of it a part of the columns. */
template <int kTiles, typename AbsmaxOf>
__global__ void __launch_bounds__(kDecodedThreads, kTiles < 8 ? 2 : 1) decodedRowsKernel(DecodedRows<AbsmaxOf> p, int splits) {
  extern __shared__ __align__(16) char shared[];
  __shared__ float table[256];
  const int thread = static_cast<int>(threadIdx.x), lane = thread % kWarp;
  const int split = static_cast<int>(blockIdx.x) % splits, region = static_cast<int>(blockIdx.x) / splits * kBlockWeights;
  const int own = thread / kWarp * kWarpWeights + lane / 4;
  const int steps = (p.columns + kDecodedStep - 1) / kDecodedStep, end = steps * (split + 1) / splits;
  const uint32_t buffers = sharedAddress(shared);
  constexpr int kBuffer = 8 * kTiles * kStepBytes;

  if (p.absmax.table()) table[thread] = p.absmax.table()[thread];
  int step = steps * split / splits;
  LaneCodes<AbsmaxOf> next;
  copyRows<kTiles>(buffers, p, step);
  commitCopies();
  next.read(p, region + own, step * kDecodedStep + lane % 4 * kNf4Block);
  float sum[kTiles][4] = {};
  for (int turn = 0; step < end; step++, turn ^= 1) {
    const LaneCodes<AbsmaxOf> codes = next;
    if (step + 1 < end) {
      copyRows<kTiles>(buffers + (turn ^ 1) * kBuffer, p, step + 1);
      next.read(p, region + own, (step + 1) * kDecodedStep + lane % 4 * kNf4Block);
    }
    commitCopies();
    waitForCopies<1>();
    __syncthreads();
    const Nf4Table first(p.absmax.value(codes.absmax[0], table)), second(p.absmax.value(codes.absmax[1], table));
#pragma unroll
    for (int i = 0; i < 8; i++) {
      const uint4 a = first.decode(codes.word(0, i)), b = second.decode(codes.word(1, i));
      const uint32_t low[4] = {a.x, b.x, a.y, b.y}, high[4] = {a.z, b.z, a.w, b.w};
#pragma unroll
      for (int n = 0; n < kTiles; n++) {
        const uint4 x = *reinterpret_cast<const uint4*>(shared + turn * kBuffer + pieceOffset(8 * n + lane / 4, lane, i));
        multiply(sum[n], low, x.x, x.y);
        multiply(sum[n], high, x.z, x.w);
      }
    }
    __syncthreads();
  }

  float* sums = reinterpret_cast<float*>(shared);
#pragma unroll
  for (int n = 0; n < kTiles; n++)
#pragma unroll
    for (int i = 0; i < 4; i++) sums[(8 * n + lane % 4 * 2 + i % 2) * kSumStride + own + i / 2 * 8] = sum[n][i];
  shareCluster();
  const int each = kBlockWeights / splits;
  for (int index = thread; index < p.tokens * each; index += kDecodedThreads) {
    const int token = index / each, row = split * each + index % each;
    if (region + row >= p.rows) continue;
    float total = 0;
    for (int block = 0; block < splits; block++) total += loadFromBlock(&sums[token * kSumStride + row], block);
    const int64_t at = int64_t{token} * p.rows + region + row;
    p.y[at] = fromFloat<Bf16>(p.c ? total + toFloat(p.c[at]) : total);
  }
  // Nobody ends while others read its sums.
  meetCluster();
}

/** Blocks that share the columns: as many as fill the GPU. Not chosen by the rows of x, so that these do not change each other's bits. */
inline int splitsOf(int regions, int columns, int multiprocessors) {
  int splits = 1;
  while (2 * splits <= kMostClusterBlocks && regions * splits < 2 * multiprocessors && 2 * splits * kDecodedStep <= columns) splits *= 2;
  return splits;
}

template <int kTiles, typename AbsmaxOf>
void decodeRows(cudaStream_t stream, const DecodedRows<AbsmaxOf>& p, int multiprocessors) {
  const auto kernel = decodedRowsKernel<kTiles, AbsmaxOf>;
  const int regions = static_cast<int>(ceilDivide(p.rows, kBlockWeights));
  const int splits = hasClusters(kernel) ? splitsOf(regions, p.columns, multiprocessors) : 1;
  ClusterLaunch clusters{splits, kDecodedThreads, size_t{2} * 8 * kTiles * kStepBytes};
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(clusters.shared_bytes));
  clusters.start(kernel, static_cast<unsigned>(regions), stream, p, splits);
}

template <typename AbsmaxOf>
void decodedRows(cudaStream_t stream, const DecodedRows<AbsmaxOf>& p, int multiprocessors) {
  if (p.tokens <= 8) return decodeRows<1>(stream, p, multiprocessors);
  if (p.tokens <= 16) return decodeRows<2>(stream, p, multiprocessors);
  if (p.tokens <= 32) return decodeRows<4>(stream, p, multiprocessors);
  decodeRows<8>(stream, p, multiprocessors);
}

/** Whether it serves products of these rows with rows of `columns` elements. */
inline bool servesDecodedRows(const Tensor& x, const Tensor& y, int64_t columns) {
  return x.type == DType::bf16 && y.type == DType::bf16 && x.shape[0] > 0 && x.shape[0] <= kMostDecodedRows && columns % kNf4Block == 0;
}

}  // namespace anneal::cuda
