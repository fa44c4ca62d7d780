#pragma once

#include "cuda/windows.cuh"

namespace anneal::cuda {

constexpr int kSlice = 16;        // of what a product sums over, in shared memory at a time
constexpr int kTileColumns = 128;  // of a product, at most
constexpr int kOwnRows = kWindow / 16;

/** Slices of both factors; padded against conflicts of banks. */
struct alignas(16) Slices {
  float a[kSlice][kWindow + 4], b[kSlice][kTileColumns + 4];
};

/** Which index of a factor neighboring threads read along. */
enum class Along { rows, inner, columns };

/** The rows and columns of a product that a thread sums: 4 rows, and of N columns 4 out of each 64. */
__device__ inline int ownRow(int i) { return static_cast<int>(threadIdx.x) / 16 * kOwnRows + i; }
__device__ inline int ownColumn(int j) { return static_cast<int>(threadIdx.x) % 16 * 4 + j / 4 * 64 + j % 4; }

/** sums += a · b, for a block: a(row, i) of kWindow rows, b(i, column) of N columns, i < inner. Waits for what was written to shared memory before. */
template <Along along_a, Along along_b, int N, typename FactorA, typename FactorB>
__device__ void addProduct(float (&sums)[kOwnRows][N / 16], Slices& slices, int inner, FactorA a, FactorB b) {
  for (int first = 0; first < inner; first += kSlice) {
    __syncthreads();
#pragma unroll 2
    for (int e = static_cast<int>(threadIdx.x); e < kWindow * kSlice; e += kWindowThreads) {
      const int row = along_a == Along::rows ? e % kWindow : e / kSlice, i = along_a == Along::rows ? e / kWindow : e % kSlice;
      slices.a[i][row] = first + i < inner ? a(row, first + i) : 0.0f;
    }
#pragma unroll 2
    for (int e = static_cast<int>(threadIdx.x); e < N * kSlice; e += kWindowThreads) {
      const int column = along_b == Along::columns ? e % N : e / kSlice, i = along_b == Along::columns ? e / N : e % kSlice;
      slices.b[i][column] = first + i < inner ? b(first + i, column) : 0.0f;
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < kSlice; i++) {
      const float4 x = *reinterpret_cast<const float4*>(&slices.a[i][ownRow(0)]);
      const float rows[kOwnRows] = {x.x, x.y, x.z, x.w};
#pragma unroll
      for (int j = 0; j < N / 16; j += 4) {
        const float4 y = *reinterpret_cast<const float4*>(&slices.b[i][ownColumn(j)]);
#pragma unroll
        for (int r = 0; r < kOwnRows; r++) {
          sums[r][j] = fmaf(rows[r], y.x, sums[r][j]);
          sums[r][j + 1] = fmaf(rows[r], y.y, sums[r][j + 1]);
          sums[r][j + 2] = fmaf(rows[r], y.z, sums[r][j + 2]);
          sums[r][j + 3] = fmaf(rows[r], y.w, sums[r][j + 3]);
        }
      }
    }
  }
}

/** Calls visit(row, column, value) for the values of a product that a thread sums. */
template <int N, typename Visit>
__device__ void forOwn(float (&tile)[kOwnRows][N], Visit visit) {
#pragma unroll
  for (int r = 0; r < kOwnRows; r++)
#pragma unroll
    for (int j = 0; j < N; j++) visit(ownRow(r), ownColumn(j), tile[r][j]);
}

/** sums[row] += Σ over the columns of tile · other(row, column). */
template <int N, typename Total, typename Other>
__device__ void addDots(Total* sums, const float (&tile)[kOwnRows][N], Other other) {
#pragma unroll
  for (int r = 0; r < kOwnRows; r++) {
    float dot = 0;
#pragma unroll
    for (int j = 0; j < N; j++) dot = fmaf(tile[r][j], other(ownRow(r), ownColumn(j)), dot);
    dot = joinLanes<16>(dot, Sum{});
    if (threadIdx.x % 16 == 0) sums[ownRow(r)] += dot;
  }
}

}  // namespace anneal::cuda
