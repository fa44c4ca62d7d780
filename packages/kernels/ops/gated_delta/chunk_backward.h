#pragma once

#include "chunk.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Where gradients go: dq and dk of the normed queries and keys, to which heads that share them add. */
struct GatedDeltaSlopes {
  const float* d_out;
  float *d_qkv, *d_a, *d_b;
};

/** The gradients of a chunk, which goes with `Chunk` and needs its state S again. */
struct ChunkSlopes {
  /** Of one head's weights, over its tokens. */
  struct Totals {
    double decay = 0, shift = 0;
  };

  const GatedDelta& op;
  float *dq, *dk, *reads, *writes;  // [kChunk, key_size]
  float *d_out, *d_changes;         // [kChunk, value_size]
  float* transposed;                // [value_size, kChunk]
  float *dL, *dP;                   // [n, n]
  float* d_beta;                    // [kChunk]
  double d_sums[kChunk];            // of terms that cancel
  float *S_t, *dS_t;                // [value_size, key_size]

  static int64_t floats(const GatedDelta& op) {
    return kChunk * (4 * op.key_size + 3 * op.value_size + 2 * kChunk + 1) + 2 * op.state();
  }

  ChunkSlopes(const GatedDelta& op, float* space) : op(op) {
    const auto take = [&](int64_t count) {
      float* part = space;
      space += count;
      return part;
    };
    dq = take(kChunk * op.key_size), dk = take(kChunk * op.key_size);
    reads = take(kChunk * op.key_size), writes = take(kChunk * op.key_size);
    d_out = take(kChunk * op.value_size), d_changes = take(kChunk * op.value_size), transposed = take(kChunk * op.value_size);
    dL = take(kChunk * kChunk), dP = take(kChunk * kChunk);
    d_beta = take(kChunk);
    S_t = take(op.state()), dS_t = take(op.state());
  }

  /** From dS of the state after the chunk to that before it. @param adds dq and dk to what another head has put there */
  void run(const Chunk& chunk, const float* S, float* dS, const GatedDeltaSlopes& to, bool adds, Totals& totals) {
    const int64_t n = chunk.n, K = op.key_size, V = op.value_size;
    for (int64_t i = 0; i < n; i++) {
      const float* from = to.d_out + (chunk.first + i) * op.values() + chunk.head * V;
      std::memcpy(d_out + i * V, from, static_cast<size_t>(V) * sizeof *d_out);
      d_sums[i] = d_beta[i] = 0;
    }
    transpose(S_t, S, K, V);
    transpose(dS_t, dS, K, V);
    solveTransposed(chunk, dS);

    // Of P and L, which are products with the changes, and through them of the decays between tokens.
    transpose(transposed, chunk.changes, n, V);
    setProduct(dP, n, n, V, d_out, V, 1, transposed);
    setProduct(dL, n, n, V, d_changes, V, 1, transposed);
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j <= i; j++) {
        const int64_t at = i * n + j;
        const float of_L = -chunk.beta[i] * dL[at];  // j < i: L is 0 on the diagonal
        d_beta[i] -= dL[at] * chunk.L[at];
        const double of_decay = dP[at] * chunk.P[at] + of_L * chunk.L[at];
        d_sums[i] += of_decay, d_sums[j] -= of_decay;
        dP[at] *= chunk.decays[at];
        dL[at] = j < i ? of_L * chunk.decays[at] : 0;
      }
      for (int64_t j = i + 1; j < n; j++) dP[i * n + j] = dL[i * n + j] = 0;
    }

    // Queries read S and the keys before them; changes read S by their keys; changes are written into the next S by their keys.
    setProduct(dq, n, K, V, d_out, V, 1, S_t);
    setProduct(reads, n, K, V, d_changes, V, 1, S_t);
    setProduct(writes, n, K, V, chunk.changes, V, 1, dS_t);
    double last = chunk.gamma[n - 1] * dot(S, dS, op.state());
    for (int64_t i = 0; i < n; i++) {
      const float *q = chunk.q + i * K, *k = chunk.k + i * K;
      const float read = -chunk.beta[i] * chunk.gamma[i], write = chunk.to_end[i];
      const double of_end = write * dot(k, writes + i * K, K);
      last += of_end;
      d_sums[i] += chunk.gamma[i] * dot(q, dq + i * K, K) + read * dot(k, reads + i * K, K) - of_end;
      scaleBy(dq + i * K, chunk.gamma[i], K);
      for (int64_t c = 0; c < K; c++) dk[i * K + c] = read * reads[i * K + c] + write * writes[i * K + c];
      const float *change = d_changes + i * V, *m = chunk.m + i * V;
      d_beta[i] += dot(change, chunk.value(i), V) - chunk.gamma[i] * dot(change, m, V);
    }
    d_sums[n - 1] += last;
    addProduct(dq, n, K, n, dP, n, 1, chunk.k);
    addProduct(dk, n, K, n, dP, 1, n, chunk.q);
    addProduct(dk, n, K, n, dL, n, 1, chunk.k);
    addProduct(dk, n, K, n, dL, 1, n, chunk.k);
    store(chunk, to, adds, totals);

    scaleBy(dS, chunk.gamma[n - 1], op.state());
    for (int64_t i = 0; i < n; i++) {
      scaleBy(d_out + i * V, chunk.gamma[i], V);
      scaleBy(d_changes + i * V, -chunk.beta[i] * chunk.gamma[i], V);
    }
    addProduct(dS, K, V, n, chunk.q, 1, K, d_out);
    addProduct(dS, K, V, n, chunk.k, 1, K, d_changes);
  }

 private:
  /** d_changes becomes the gradient of β (v - γ m) / β, that is (1 + L)⁻ᵀ of the changes' own. */
  void solveTransposed(const Chunk& chunk, const float* dS) {
    const int64_t n = chunk.n, K = op.key_size, V = op.value_size;
    setProduct(d_changes, n, V, n, chunk.P, 1, n, d_out);
    addProduct(d_changes, n, V, K, chunk.k_decayed, K, 1, dS);
    for (int64_t i = n - 1; i >= 0; i--)
      for (int64_t j = i + 1; j < n; j++) addScaled(d_changes + i * V, -chunk.beta[j] * chunk.L[j * n + i], d_changes + j * V, V);
  }

  void store(const Chunk& chunk, const GatedDeltaSlopes& to, bool adds, Totals& totals) {
    const int64_t K = op.key_size, V = op.value_size, head = chunk.head;
    const float rate = -::expf(op.decay[head]);
    double d_g = 0;  // g_i is in the sums of all tokens from i on
    for (int64_t i = chunk.n - 1; i >= 0; i--) {
      const int64_t t = chunk.first + i, gate = t * op.heads + head;
      float* row = to.d_qkv + t * op.columns;
      float *queries = row + op.queryColumn(head), *keys = row + op.keyColumn(head), *values = row + op.valueColumn(head);
      for (int64_t c = 0; c < K; c++) {
        queries[c] = dq[i * K + c] + (adds ? queries[c] : 0);
        keys[c] = dk[i * K + c] + (adds ? keys[c] : 0);
      }
      for (int64_t c = 0; c < V; c++) values[c] = chunk.beta[i] * d_changes[i * V + c];
      d_g += d_sums[i];
      const float d_a = static_cast<float>(d_g) * rate * sigmoidOf(op.a[gate] + op.shift[head]);
      to.d_a[gate] = d_a;
      to.d_b[gate] = d_beta[i] * chunk.beta[i] * (1 - chunk.beta[i]);
      totals.decay += d_g * chunk.g[i];
      totals.shift += d_a;
    }
  }
};

}  // namespace
}  // namespace anneal::ANNEAL_ISA
