#pragma once

#include "chunk.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Where gradients go. B and C are shared by heads: `d_bc`, [tokens, 2 · state_size], is one part of their sum. */
struct StateSpaceSlopes {
  const float* d_y;
  float *d_xbc, *d_dt, *d_bc;
};

/** The gradients of a chunk, which goes with `Chunk` and needs its state S again. */
struct ChunkSlopes {
  /** Of one head's weights, over its tokens. */
  struct Totals {
    double decay = 0, shift = 0, skip = 0;
  };

  const StateSpace& op;
  float *dB, *dC;                // [kChunk, state_size]
  float *d_y, *dv, *transposed;  // [kChunk, head_size]; [head_size, kChunk]
  float* dP;                     // [n, n]
  double d_sums[kChunk];         // of terms that cancel
  float *S_t, *dS_t;             // [head_size, state_size]

  static int64_t floats(const StateSpace& op) {
    return kChunk * (2 * op.state_size + 3 * op.head_size + kChunk) + 2 * op.state();
  }

  ChunkSlopes(const StateSpace& op, float* space) : op(op) {
    const auto take = [&](int64_t count) {
      float* part = space;
      space += count;
      return part;
    };
    dB = take(kChunk * op.state_size), dC = take(kChunk * op.state_size);
    d_y = take(kChunk * op.head_size), dv = take(kChunk * op.head_size), transposed = take(kChunk * op.head_size);
    dP = take(kChunk * kChunk);
    S_t = take(op.state()), dS_t = take(op.state());
  }

  /** From dS of the state after the chunk to that before it. @param adds dB and dC to what another head has put there */
  void run(const Chunk& chunk, const float* S, float* dS, const StateSpaceSlopes& to, bool adds, Totals& totals) {
    const int64_t n = chunk.n, N = op.state_size, size = op.head_size;
    for (int64_t i = 0; i < n; i++) {
      const float* from = to.d_y + (chunk.first + i) * op.values() + chunk.head * size;
      std::memcpy(d_y + i * size, from, static_cast<size_t>(size) * sizeof *d_y);
      d_sums[i] = 0;
    }
    transpose(S_t, S, N, size);
    transpose(dS_t, dS, N, size);
    setProduct(dv, n, size, n, chunk.P, 1, n, d_y);
    addProduct(dv, n, size, N, chunk.B_decayed, N, 1, dS);

    // Of P, and through it of the decays between tokens.
    transpose(transposed, chunk.v, n, size);
    setProduct(dP, n, n, size, d_y, size, 1, transposed);
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < i; j++) {
        const double of_decay = dP[i * n + j] * chunk.P[i * n + j];
        d_sums[i] += of_decay, d_sums[j] -= of_decay;
      }
      for (int64_t j = 0; j < n; j++) dP[i * n + j] *= chunk.decays[i * n + j];
    }

    // C reads S and the tokens before it; B is how v is written into the next S.
    setProduct(dC, n, N, size, d_y, size, 1, S_t);
    setProduct(dB, n, N, size, chunk.v, size, 1, dS_t);
    double last = chunk.gamma[n - 1] * dot(S, dS, op.state());
    for (int64_t i = 0; i < n; i++) {
      const double of_end = chunk.to_end[i] * dot(chunk.B + i * N, dB + i * N, N);
      last += of_end;
      d_sums[i] += chunk.gamma[i] * dot(chunk.C + i * N, dC + i * N, N) - of_end;
      scaleBy(dC + i * N, chunk.gamma[i], N);
      scaleBy(dB + i * N, chunk.to_end[i], N);
    }
    d_sums[n - 1] += last;
    addProduct(dC, n, N, n, dP, n, 1, chunk.B);
    addProduct(dB, n, N, n, dP, 1, n, chunk.C);
    store(chunk, to, adds, totals);

    scaleBy(dS, chunk.gamma[n - 1], op.state());
    for (int64_t i = 0; i < n; i++) scaleBy(d_y + i * size, chunk.gamma[i], size);
    addProduct(dS, N, size, n, chunk.C, 1, N, d_y);
  }

 private:
  void store(const Chunk& chunk, const StateSpaceSlopes& to, bool adds, Totals& totals) {
    const int64_t N = op.state_size, size = op.head_size, head = chunk.head;
    const float rate = -::expf(op.decay[head]), skip = op.skip[head];
    double d_g = 0;  // g_i is in the sums of all tokens from i on
    for (int64_t i = chunk.n - 1; i >= 0; i--) {
      const int64_t t = chunk.first + i;
      const float *x = op.x(t, head), *dy = d_y + i * size, *dvi = dv + i * size;
      float *dx = to.d_xbc + t * op.columns + head * size, *bc = to.d_bc + t * 2 * N;
      for (int64_t c = 0; c < size; c++) dx[c] = chunk.step[i] * dvi[c] + skip * dy[c];
      for (int64_t c = 0; c < N; c++) {
        bc[c] = dB[i * N + c] + (adds ? bc[c] : 0);
        bc[N + c] = dC[i * N + c] + (adds ? bc[N + c] : 0);
      }
      d_g += d_sums[i];
      const double d_step = dot(dvi, x, size) + d_g * rate;
      const float d_dt = static_cast<float>(d_step) * sigmoidOf(op.rawStep(t, head));
      to.d_dt[t * op.heads + head] = d_dt;
      totals.decay += d_g * chunk.g[i];
      totals.shift += d_dt;
      totals.skip += dot(dy, x, size);
    }
  }
};

}  // namespace
}  // namespace anneal::ANNEAL_ISA
