#pragma once

#include "simd.h"

// Ops whose heads hand on a state from token to token go through the tokens in chunks, within which all is products.

namespace anneal::ANNEAL_ISA {

constexpr int64_t kChunk = 64;

/** Where the chunk that begins at `token` ends: at a multiple of kChunk, or with its document. */
inline int64_t chunkEnd(int64_t token, int64_t end) {
  const int64_t next = (token / kChunk + 1) * kChunk;
  return next < end ? next : end;
}

inline float sigmoidOf(float x) { return 1.0f / (1.0f + ::expf(-x)); }
inline float softplus(float x) { return (x > 0 ? x : 0) + ::log1pf(::expf(-::fabsf(x))); }

/**
 * The decays between the tokens of a chunk: decays[i, j] = e^(sums[i] - sums[j]) up to the diagonal, else 0.
 * @param sums of the logarithms of decays, in doubles: differences of large ones are exponents
 */
inline void decaysBetween(float* decays, const double* sums, int64_t n) {
  for (int64_t i = 0; i < n; i++) {
    float* row = decays + i * n;
    for (int64_t j = 0; j <= i; j++) row[j] = static_cast<float>(sums[i] - sums[j]);
    for (int64_t j = 0; j <= i; j += Vec::width) {
      const int lanes = lanesAt(j, i + 1);
      exp(Vec::load(row + j, lanes)).store(row + j, lanes);
    }
    for (int64_t j = i + 1; j < n; j++) row[j] = 0;
  }
}

}  // namespace anneal::ANNEAL_ISA
