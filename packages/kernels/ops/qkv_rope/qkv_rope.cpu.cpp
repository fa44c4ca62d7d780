#include <cmath>
#include <cstring>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** Heads of `size` values: of a token's [q k v], those of q first. */
struct Heads {
  int64_t queries, keys, size;

  int64_t all() const { return queries + 2 * keys; }
  bool isValue(int64_t head) const { return head >= queries + keys; }
  bool isQuery(int64_t head) const { return head < queries; }
};

/** The part of q, k or v, [T, its heads · size], that is this head of this token. */
template <typename Value>
static Value* headOf(const Heads& heads, int64_t token, int64_t head, Value* q, Value* k, Value* v) {
  const int64_t size = heads.size;
  if (heads.isQuery(head)) return q + (token * heads.queries + head) * size;
  if (heads.isValue(head)) return v + (token * heads.keys + head - heads.queries - heads.keys) * size;
  return k + (token * heads.keys + head - heads.queries) * size;
}

static Heads headsOf(const Launch& launch, int64_t pairs) {
  return {static_cast<int64_t>(launch.attributes[0]), static_cast<int64_t>(launch.attributes[1]), 2 * pairs};
}

/** Σ a·a in a fixed order. */
static float squareSum(const float* a, int64_t size) {
  Vec sums = Vec::zero();
  for (int64_t i = 0; i < size; i += Vec::width) {
    const Vec values = Vec::load(a + i, lanesAt(i, size));
    sums = fma(values, values, sums);
  }
  return sum(sums);
}

const char* qkv_rope(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const float *q_norm = launch.inputs[1].f32(), *k_norm = launch.inputs[2].f32();
  const float *cosines = launch.inputs[3].f32(), *sines = launch.inputs[4].f32();
  float *q = launch.outputs[0].f32(), *k = launch.outputs[1].f32(), *v = launch.outputs[2].f32(), *rstd = launch.outputs[3].f32();
  const int64_t P = launch.inputs[3].shape[1];
  const Heads heads = headsOf(launch, P);
  const float eps = static_cast<float>(launch.attributes[2]);
  const Vec offset = Vec::set(static_cast<float>(launch.attributes[3]));
  parallelFor(*launch.context, launch.inputs[0].shape[0] * heads.all(), grainFor(2 * heads.size), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t token = row / heads.all(), head = row % heads.all();
      const float* from = x + row * heads.size;
      float* to = headOf(heads, token, head, q, k, v);
      if (heads.isValue(head)) {
        std::memcpy(to, from, static_cast<size_t>(heads.size) * sizeof(float));
        continue;
      }
      const float* weight = heads.isQuery(head) ? q_norm : k_norm;
      const float r = weight ? 1.0f / std::sqrt(squareSum(from, heads.size) / static_cast<float>(heads.size) + eps) : 1.0f;
      if (weight) rstd[token * (heads.queries + heads.keys) + head] = r;
      const Vec scale = Vec::set(r);
      for (int64_t p = 0; p < P; p += Vec::width) {
        const int count = lanesAt(p, P);
        Vec a = Vec::load(from + p, count), b = Vec::load(from + P + p, count);
        if (weight) {
          a = a * scale * (Vec::load(weight + p, count) + offset);
          b = b * scale * (Vec::load(weight + P + p, count) + offset);
        }
        const Vec c = Vec::load(cosines + token * P + p, count), s = Vec::load(sines + token * P + p, count);
        (a * c - b * s).store(to + p, count);
        (b * c + a * s).store(to + P + p, count);
      }
    }
  });
  return nullptr;
}

/** The gradients of a head's values before rotation, times the weights of its norm, if it has one: of pairs from p on. */
struct Turned {
  Vec low, high;
};

static Turned turnBack(const float* dy, const float* cosines, const float* sines, const float* weight, Vec offset, int64_t pairs, int64_t p, int count) {
  const Vec a = Vec::load(dy + p, count), b = Vec::load(dy + pairs + p, count);
  const Vec c = Vec::load(cosines + p, count), s = Vec::load(sines + p, count);
  const Vec low = a * c + b * s, high = b * c - a * s;
  if (!weight) return {low, high};
  return {low * (Vec::load(weight + p, count) + offset), high * (Vec::load(weight + pairs + p, count) + offset)};
}

const char* qkv_rope_backward(const Launch& launch) {
  const float *dq = launch.inputs[0].f32(), *dk = launch.inputs[1].f32(), *dv = launch.inputs[2].f32();
  const float *cosines = launch.inputs[3].f32(), *sines = launch.inputs[4].f32();
  const float* x = launch.inputs[5].f32();
  const float *q_norm = launch.inputs[6].f32(), *k_norm = launch.inputs[7].f32(), *rstd = launch.inputs[8].f32();
  float* dx = launch.outputs[0].f32();
  const Vec offset = Vec::set(static_cast<float>(launch.attributes[2]));
  const int64_t P = launch.inputs[3].shape[1];
  const Heads heads = headsOf(launch, P);
  parallelFor(*launch.context, launch.inputs[0].shape[0] * heads.all(), grainFor(3 * heads.size), [=](int64_t begin, int64_t end) {
    for (int64_t row = begin; row < end; row++) {
      const int64_t token = row / heads.all(), head = row % heads.all();
      const float* dy = headOf(heads, token, head, dq, dk, dv);
      float* to = dx + row * heads.size;
      if (heads.isValue(head)) {
        std::memcpy(to, dy, static_cast<size_t>(heads.size) * sizeof(float));
        continue;
      }
      const float *c = cosines + token * P, *s = sines + token * P;
      const float* weight = heads.isQuery(head) ? q_norm : k_norm;
      const float* from = weight ? x + row * heads.size : nullptr;
      float r = 1.0f, k = 0.0f;
      if (weight) {
        Vec sums = Vec::zero();
        for (int64_t p = 0; p < P; p += Vec::width) {
          const int count = lanesAt(p, P);
          const Turned g = turnBack(dy, c, s, weight, offset, P, p, count);
          sums = fma(g.low, Vec::load(from + p, count), sums);
          sums = fma(g.high, Vec::load(from + P + p, count), sums);
        }
        r = rstd[token * (heads.queries + heads.keys) + head];
        k = -r * r * r * sum(sums) / static_cast<float>(heads.size);
      }
      const Vec scale = Vec::set(r), along = Vec::set(k);
      for (int64_t p = 0; p < P; p += Vec::width) {
        const int count = lanesAt(p, P);
        Turned g = turnBack(dy, c, s, weight, offset, P, p, count);
        if (weight) {
          g.low = fma(Vec::load(from + p, count), along, g.low * scale);
          g.high = fma(Vec::load(from + P + p, count), along, g.high * scale);
        }
        g.low.store(to + p, count);
        g.high.store(to + P + p, count);
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
