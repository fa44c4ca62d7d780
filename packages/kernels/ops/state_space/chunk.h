#pragma once

#include "cpu/recurrence.h"
#include "cpu/small_products.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** The inputs of the op, and how the columns of [x B C] divide into heads and groups. */
struct StateSpace {
  const float *xbc, *dt, *decay, *shift, *skip;
  int64_t tokens, columns, heads, groups, state_size, head_size;

  /** @param inputs xbc, dt, decay, shift, skip */
  StateSpace(const Tensor* inputs, const double* attributes)
      : xbc(inputs[0].f32()), dt(inputs[1].f32()), decay(inputs[2].f32()), shift(inputs[3].f32()), skip(inputs[4].f32()),
        tokens(inputs[0].shape[0]), columns(inputs[0].shape[1]), heads(inputs[1].shape[1]),
        groups(static_cast<int64_t>(attributes[0])), state_size(static_cast<int64_t>(attributes[1])),
        head_size((columns - 2 * groups * state_size) / heads) {}

  int64_t headsOfGroup() const { return heads / groups; }
  int64_t state() const { return state_size * head_size; }
  int64_t values() const { return heads * head_size; }
  const float* x(int64_t token, int64_t head) const { return xbc + token * columns + head * head_size; }
  const float* b(int64_t token, int64_t head) const { return xbc + token * columns + values() + head / headsOfGroup() * state_size; }
  const float* c(int64_t token, int64_t head) const { return b(token, head) + groups * state_size; }
  /** Before its softplus. */
  float rawStep(int64_t token, int64_t head) const { return dt[token * heads + head] + shift[head]; }
};

/**
 * One head's tokens first … first + n - 1, n ≤ kChunk, with S the state before them. With γ_i = e^(g_1 + … + g_i), d_ij = γ_i / γ_j and
 * v = step · x: y = γ C S + P v + skip · x, P = d (C Bᵀ) up to the diagonal, and the next S is γ_n S + Σ_j d_nj B_j v_jᵀ. Dao, Gu 2024.
 */
struct Chunk {
  const StateSpace& op;
  int64_t head, first = 0, n = 0;
  float *B, *C, *B_decayed, *transposed;  // [kChunk, state_size]; d_nj B_j; [state_size, kChunk]
  float *v, *y;                           // [kChunk, head_size]
  float *P, *decays;                      // [n, n]
  float *step, *g, *gamma, *to_end;       // [kChunk]
  double sums[kChunk];                    // of g

  static int64_t floats(const StateSpace& op) { return kChunk * (4 * op.state_size + 2 * op.head_size + 2 * kChunk + 4); }

  Chunk(const StateSpace& op, int64_t head, float* space) : op(op), head(head) {
    const auto take = [&](int64_t columns) {
      float* part = space;
      space += kChunk * columns;
      return part;
    };
    B = take(op.state_size), C = take(op.state_size), B_decayed = take(op.state_size), transposed = take(op.state_size);
    v = take(op.head_size), y = take(op.head_size);
    P = take(kChunk), decays = take(kChunk);
    step = take(1), g = take(1), gamma = take(1), to_end = take(1);
  }

  void load(int64_t from, int64_t count, const float*) {
    first = from, n = count;
    const int64_t N = op.state_size, size = op.head_size;
    const float rate = -::expf(op.decay[head]);
    double sum = 0;
    for (int64_t i = 0; i < n; i++) {
      const int64_t t = first + i;
      std::memcpy(B + i * N, op.b(t, head), static_cast<size_t>(N) * sizeof *B);
      std::memcpy(C + i * N, op.c(t, head), static_cast<size_t>(N) * sizeof *C);
      step[i] = softplus(op.rawStep(t, head));
      g[i] = rate * step[i];
      sums[i] = sum += g[i];
      gamma[i] = ::expf(static_cast<float>(sum));
      const float* x = op.x(t, head);
      for (int64_t c = 0; c < size; c++) v[i * size + c] = step[i] * x[c];
    }
    for (int64_t i = 0; i < n; i++) {
      to_end[i] = ::expf(static_cast<float>(sum - sums[i]));
      for (int64_t c = 0; c < N; c++) B_decayed[i * N + c] = to_end[i] * B[i * N + c];
    }
  }

  /** P. */
  void attend() {
    transpose(transposed, B, n, op.state_size);
    setProduct(P, n, n, op.state_size, C, op.state_size, 1, transposed);
    decaysBetween(decays, sums, n);
    for (int64_t i = 0; i < n * n; i++) P[i] *= decays[i];
  }

  void output(const float* S, float* to) {
    const int64_t size = op.head_size;
    setProduct(y, n, size, op.state_size, C, op.state_size, 1, S);
    for (int64_t i = 0; i < n; i++) scaleBy(y + i * size, gamma[i], size);
    addProduct(y, n, size, n, P, n, 1, v);
    for (int64_t i = 0; i < n; i++) {
      float* row = to + (first + i) * op.values() + head * size;
      const float* x = op.x(first + i, head);
      for (int64_t c = 0; c < size; c++) row[c] = y[i * size + c] + op.skip[head] * x[c];
    }
  }

  void advance(float* S) const {
    scaleBy(S, gamma[n - 1], op.state());
    addProduct(S, op.state_size, op.head_size, n, B_decayed, 1, op.state_size, v);
  }
};

}  // namespace
}  // namespace anneal::ANNEAL_ISA
