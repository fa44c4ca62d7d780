#pragma once

#include "simd.h"

// Small products of one thread, for ops that go through tokens chunk by chunk. Matrices lie row by row without gaps.

namespace anneal::ANNEAL_ISA {

template <int rows>
inline void addRows(float* out, int64_t N, int64_t K, const float* a, int64_t row, int64_t column, const float* b) {
  for (int64_t n = 0; n < N; n += Vec::width) {
    const int count = lanesAt(n, N);
    Vec sums[rows];
    for (int r = 0; r < rows; r++) sums[r] = Vec::load(out + r * N + n, count);
    for (int64_t k = 0; k < K; k++) {
      const Vec factor = Vec::load(b + k * N + n, count);
      for (int r = 0; r < rows; r++) sums[r] = fma(Vec::set(a[r * row + k * column]), factor, sums[r]);
    }
    for (int r = 0; r < rows; r++) sums[r].store(out + r * N + n, count);
  }
}

/** out[M,N] += a · b[K,N], where a(m, k) = a[m · row + k · column]. */
inline void addProduct(float* out, int64_t M, int64_t N, int64_t K, const float* a, int64_t row, int64_t column, const float* b) {
  int64_t m = 0;
  for (; m + 4 <= M; m += 4) addRows<4>(out + m * N, N, K, a + m * row, row, column, b);
  for (; m < M; m++) addRows<1>(out + m * N, N, K, a + m * row, row, column, b);
}

inline void setProduct(float* out, int64_t M, int64_t N, int64_t K, const float* a, int64_t row, int64_t column, const float* b) {
  std::memset(out, 0, static_cast<size_t>(M * N) * sizeof *out);
  addProduct(out, M, N, K, a, row, column, b);
}

inline void transpose(float* out, const float* in, int64_t rows, int64_t columns) {
  for (int64_t r = 0; r < rows; r++)
    for (int64_t c = 0; c < columns; c++) out[c * rows + r] = in[r * columns + c];
}

inline float dot(const float* a, const float* b, int64_t count) {
  Vec sums = Vec::zero();
  for (int64_t i = 0; i < count; i += Vec::width) {
    const int lanes = lanesAt(i, count);
    sums = fma(Vec::load(a + i, lanes), Vec::load(b + i, lanes), sums);
  }
  return sum(sums);
}

/** y += factor · x. */
inline void addScaled(float* y, float factor, const float* x, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] += factor * x[i];
}

inline void scaleBy(float* y, float factor, int64_t count) {
  for (int64_t i = 0; i < count; i++) y[i] *= factor;
}

}  // namespace anneal::ANNEAL_ISA
