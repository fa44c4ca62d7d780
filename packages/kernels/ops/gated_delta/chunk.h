#pragma once

#include "cpu/recurrence.h"
#include "cpu/small_products.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

constexpr float kLengthEps = 1e-6f;  // under the root of the lengths of queries and keys, as the models are trained with

/** The inputs of the op, and how their columns divide into heads. */
struct GatedDelta {
  const float *qkv, *a, *b, *decay, *shift;
  int64_t tokens, columns, heads, key_heads, key_size, value_size;

  /** @param inputs qkv, a, b, decay, shift */
  GatedDelta(const Tensor* inputs, const double* attributes)
      : qkv(inputs[0].f32()), a(inputs[1].f32()), b(inputs[2].f32()), decay(inputs[3].f32()), shift(inputs[4].f32()),
        tokens(inputs[0].shape[0]), columns(inputs[0].shape[1]), heads(inputs[1].shape[1]),
        key_heads(static_cast<int64_t>(attributes[0])), key_size(static_cast<int64_t>(attributes[1])),
        value_size((columns - 2 * key_heads * key_size) / heads) {}

  int64_t group() const { return heads / key_heads; }
  int64_t state() const { return key_size * value_size; }
  int64_t values() const { return heads * value_size; }
  int64_t queryColumn(int64_t head) const { return head / group() * key_size; }
  int64_t keyColumn(int64_t head) const { return key_heads * key_size + queryColumn(head); }
  int64_t valueColumn(int64_t head) const { return 2 * key_heads * key_size + head * value_size; }
};

/** 1 / the length of a query or key. */
inline float inverseLength(const float* x, int64_t size) { return 1.0f / ::sqrtf(dot(x, x, size) + kLengthEps); }

/**
 * One head's tokens first … first + n - 1, n ≤ kChunk, with S the state before them. With γ_i = e^(g_1 + … + g_i) and
 * d_ij = γ_i / γ_j, the changes δ_i = β_i (v_i - γ_i Sᵀk_i - Σ_{j<i} d_ij (k_i·k_j) δ_j) are the solution of (1 + L) δ = β (v - γ m),
 * L = β d k·kᵀ below the diagonal, m = k S. Then out = γ q S + P δ with P = d q·kᵀ up to the diagonal, and the next
 * S is γ_n S + Σ_j d_nj k_j δ_jᵀ. Yang, Kautz, Hatamizadeh 2024.
 */
struct Chunk {
  const GatedDelta& op;
  int64_t head, first = 0, n = 0;
  float *q, *k, *k_decayed, *transposed;  // [kChunk, key_size]; d_nj k_j; [key_size, kChunk]
  float *m, *changes, *out;               // [kChunk, value_size]
  float *L, *P, *decays;                  // [n, n]: L without its β; d
  float *g, *gamma, *beta, *to_end;       // [kChunk]
  double sums[kChunk];  // of g: differences of large ones are exponents

  static int64_t floats(const GatedDelta& op) { return kChunk * (4 * op.key_size + 3 * op.value_size + 3 * kChunk + 4); }

  Chunk(const GatedDelta& op, int64_t head, float* space) : op(op), head(head) {
    const auto take = [&](int64_t columns) {
      float* part = space;
      space += kChunk * columns;
      return part;
    };
    q = take(op.key_size), k = take(op.key_size), k_decayed = take(op.key_size), transposed = take(op.key_size);
    m = take(op.value_size), changes = take(op.value_size), out = take(op.value_size);
    L = take(kChunk), P = take(kChunk), decays = take(kChunk);
    g = take(1), gamma = take(1), beta = take(1), to_end = take(1);
  }

  const float* value(int64_t i) const { return op.qkv + (first + i) * op.columns + op.valueColumn(head); }

  void load(int64_t from, int64_t count, const float* S) {
    first = from, n = count;
    const float rate = -::expf(op.decay[head]), root = 1.0f / ::sqrtf(static_cast<float>(op.key_size));
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
      const int64_t t = first + i;
      const float *queries = op.qkv + t * op.columns + op.queryColumn(head), *keys = op.qkv + t * op.columns + op.keyColumn(head);
      const float q_scale = root * inverseLength(queries, op.key_size), k_scale = inverseLength(keys, op.key_size);
      for (int64_t c = 0; c < op.key_size; c++) {
        q[i * op.key_size + c] = q_scale * queries[c];
        k[i * op.key_size + c] = k_scale * keys[c];
      }
      beta[i] = sigmoidOf(op.b[t * op.heads + head]);
      g[i] = rate * softplus(op.a[t * op.heads + head] + op.shift[head]);
      sums[i] = sum += g[i];
      gamma[i] = ::expf(static_cast<float>(sum));
    }
    for (int64_t i = 0; i < n; i++) {
      to_end[i] = ::expf(static_cast<float>(sum - sums[i]));
      for (int64_t c = 0; c < op.key_size; c++) k_decayed[i * op.key_size + c] = to_end[i] * k[i * op.key_size + c];
    }
    decaysBetween(decays, sums, n);
    transpose(transposed, k, n, op.key_size);
    solve(S);
  }

  /** P. */
  void attend() { setDecayed(P, q, 1); }

  void output(const float* S, float* to) {
    setProduct(out, n, op.value_size, op.key_size, q, op.key_size, 1, S);
    for (int64_t i = 0; i < n; i++) scaleBy(out + i * op.value_size, gamma[i], op.value_size);
    addProduct(out, n, op.value_size, n, P, n, 1, changes);
    for (int64_t i = 0; i < n; i++)
      std::memcpy(to + (first + i) * op.values() + head * op.value_size, out + i * op.value_size, static_cast<size_t>(op.value_size) * sizeof *to);
  }

  void advance(float* S) const {
    scaleBy(S, gamma[n - 1], op.state());
    addProduct(S, op.key_size, op.value_size, n, k_decayed, 1, op.key_size, changes);
  }

 private:
  /** d x·kᵀ below the diagonal, and on it where `columns` is 1. */
  void setDecayed(float* to, const float* x, int64_t columns) {
    setProduct(to, n, n, op.key_size, x, op.key_size, 1, transposed);
    for (int64_t i = 0; i < n; i++) {
      for (int64_t j = 0; j < i + columns; j++) to[i * n + j] *= decays[i * n + j];
      for (int64_t j = i + columns; j < n; j++) to[i * n + j] = 0;
    }
  }

  /** L, m and the changes. */
  void solve(const float* S) {
    setDecayed(L, k, 0);
    setProduct(m, n, op.value_size, op.key_size, k, op.key_size, 1, S);
    for (int64_t i = 0; i < n; i++) {
      float* change = changes + i * op.value_size;
      for (int64_t c = 0; c < op.value_size; c++) change[c] = value(i)[c] - gamma[i] * m[i * op.value_size + c];
      for (int64_t j = 0; j < i; j++) addScaled(change, -L[i * n + j], changes + j * op.value_size, op.value_size);
      scaleBy(change, beta[i], op.value_size);
    }
  }
};

}  // namespace
}  // namespace anneal::ANNEAL_ISA
