#pragma once

#include "cuda/reduce.cuh"
#include "cuda/vectors.cuh"
#include "norm_rows.cuh"

namespace anneal::cuda {

/** Warps of a block, which divide the columns: 32 at a time. */
constexpr int kNormWarps = 8;

/** Two numbers of 11 bits whose sum has 22 of these of a float. */
struct Split {
  uint32_t high, low;

  __device__ explicit Split(float value) {
    high = rounded(value);
    low = rounded(value - __uint_as_float(high));
  }

  static __device__ uint32_t rounded(float value) {
    uint32_t bits;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(value));
    return bits;
  }
};

/** d += a · b, 16×8×8 of tf32 (sm_80 and later). */
__device__ inline void multiplyTf32(float (&d)[4], const uint4& a, uint32_t b0, uint32_t b1) {
  asm("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a.x), "r"(a.y), "r"(a.z), "r"(a.w), "r"(b0), "r"(b1));
}

/** Shared memory of a block, bytes: both parts of scale · b, as the lanes of a warp hold them. */
inline int tensorNormShared(int tiles, int rank) { return (rank + 7) / 8 * tiles * 2 * 32 * static_cast<int>(sizeof(uint4)); }

/**
 * ‖weight[n] + scale · b[n] · a‖: a block has kTiles · 16 rows of a linear, whose sums of products begin as the weights. Factors are split
 * in two, so that products are as exact as those of float32. Columns are whole steps of 32. Of 32 columns, thread (g, q) of a warp has
 * those of its sums at 8 q, and those of a's rows at 4 g: any order of the columns gives the same sum of squares, and so both are read
 * 16 bytes or more at a time.
 */
template <int kTiles, typename W>
__global__ void __launch_bounds__(kNormWarps * 32, 2)
    tensorNormKernel(const W* weight, const float* a, const float* b, float* norm, NormRows rows, int columns, int rank, float scale) {
  extern __shared__ uint4 factors[];
  __shared__ float sums[kNormWarps][kTiles * 16];
  const int linear = static_cast<int>(blockIdx.y), end = rows.end(linear);
  const int first = rows.begin(linear) + static_cast<int>(blockIdx.x) * kTiles * 16;
  if (first >= end) return;
  a += int64_t{linear} * rank * columns;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, warp = thread / 32, g = lane / 4, q = lane % 4;
  const int parts = (rank + 7) / 8;

  // [part][tile][high, low][lane]
  const auto factor = [&](int row, int r) { return Split(row < end && r < rank ? scale * b[int64_t{row} * rank + r] : 0.0f); };
  for (int i = warp; i < parts * kTiles; i += kNormWarps) {
    const int r = i / kTiles * 8 + q, row = first + i % kTiles * 16 + g;
    const Split near = factor(row, r), below = factor(row + 8, r), far = factor(row, r + 4), farBelow = factor(row + 8, r + 4);
    factors[i * 64 + lane] = {near.high, below.high, far.high, farBelow.high};
    factors[i * 64 + 32 + lane] = {near.low, below.low, far.low, farBelow.low};
  }
  __syncthreads();

  float squares[kTiles][2] = {};
#pragma unroll 1
  for (int k = warp * 32; k < columns; k += kNormWarps * 32) {
    // values[tile][j][2 · half + e] is column 8 q + 4 e + j of row 8 · half + g.
    float values[kTiles][4][4];
#pragma unroll
    for (int i = 0; i < kTiles * 2; i++) {
      const int row = first + i * 8 + g;
      float read[8] = {};
      if (row < end) load<8>(weight + int64_t{row} * columns + k + q * 8, read);
#pragma unroll
      for (int c = 0; c < 8; c++) values[i / 2][c % 4][i % 2 * 2 + c / 4] = read[c];
    }
#pragma unroll 2
    for (int part = 0; part < parts; part++) {
      float near[4] = {}, far[4] = {};
      const int r = part * 8 + q;
      if (r < rank) load<4>(a + int64_t{r} * columns + k + g * 4, near);
      if (r + 4 < rank) load<4>(a + int64_t{r + 4} * columns + k + g * 4, far);
#pragma unroll
      for (int tile = 0; tile < kTiles; tile++) {
        const uint4 high = factors[(part * kTiles + tile) * 64 + lane], low = factors[(part * kTiles + tile) * 64 + 32 + lane];
#pragma unroll
        for (int j = 0; j < 4; j++) {
          const Split first4(near[j]), last4(far[j]);
          multiplyTf32(values[tile][j], high, first4.high, last4.high);
          multiplyTf32(values[tile][j], high, first4.low, last4.low);
          multiplyTf32(values[tile][j], low, first4.high, last4.high);
        }
      }
    }
#pragma unroll
    for (int tile = 0; tile < kTiles; tile++)
#pragma unroll
      for (int j = 0; j < 4; j++)
#pragma unroll
        for (int i = 0; i < 4; i++) squares[tile][i / 2] = fmaf(values[tile][j][i], values[tile][j][i], squares[tile][i / 2]);
  }
#pragma unroll
  for (int i = 0; i < kTiles * 2; i++) {
    const float sum = sumGroup<4>(squares[i / 2][i % 2]);
    if (q == 0) sums[warp][i * 8 + g] = sum;
  }
  __syncthreads();
  if (thread >= kTiles * 16 || first + thread >= end) return;
  float total = 0;
  for (int other = 0; other < kNormWarps; other++) total += sums[other][thread];
  norm[first + thread] = sqrtf(total);
}

/** Whether `tensorNorm` takes them: its shared memory is 48 KB at most. */
inline bool takesTensorNorm(int64_t columns, int rank) { return columns % 32 == 0 && rank <= 256; }

template <typename W>
void tensorNorm(cudaStream_t stream, const W* weight, const float* a, const float* b, float* norm, NormRows rows, int columns, int rank, float scale) {
  // Two tiles read a once for twice as many rows, where there are enough blocks.
  const int tiles = rows.total() >= 4096 && rank <= 128 ? 2 : 1;
  const auto kernel = tiles == 2 ? tensorNormKernel<2, W> : tensorNormKernel<1, W>;
  kernel<<<rows.grid(tiles * 16), kNormWarps * 32, tensorNormShared(tiles, rank), stream>>>(weight, a, b, norm, rows, columns, rank, scale);
}

}  // namespace anneal::cuda
