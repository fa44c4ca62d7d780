#pragma once

#include <math.h>

#include "../gemm/few_rows.h"
#include "blocks.h"
#include "softmax.h"

// One query against a cache, read once from where it lies. The keys are divided into parts, so that a long context keeps all
// threads busy however few key heads there are; the parts are then weighed against each other by their maxima.

namespace anneal::ANNEAL_ISA {

constexpr int kDecodeKeys = 256;  // whose scores a task holds at once, for at most kFewRows heads

struct Decode {
  int heads, kv_heads, head_size;
  int64_t first_key, end_key, keys_per_part, parts;
  float scale, soft_cap;
  const float* q;
  const void *k, *v;
  DType type;
  float *sums, *maxima, *totals;  // of part p and head h at [p · heads + h]
  const float* sinks;             // [heads], or null

  int64_t keyStride() const { return int64_t{kv_heads} * head_size; }
};

/** sum[r · sum_stride + c] += Σ_j weights[r · kDecodeKeys + j] · v[j][c], for `rows` heads and the first `columns` columns. */
template <typename Element, int rows, int vectors>
void addWeighted(const float* weights, const Element* v, int64_t stride, int keys, int columns, float* sum,
                 int64_t sum_stride) {
  Vec sums[rows][vectors];
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) sums[r][i] = loadWide(sum + r * sum_stride + i * Vec::width, columns - i * Vec::width);
  }
  for (int j = 0; j < keys; j++) {
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) {
      const Vec value = loadWide(v + j * stride + i * Vec::width, columns - i * Vec::width);
#pragma GCC unroll 4
      for (int r = 0; r < rows; r++) sums[r][i] = fma(Vec::set(weights[r * kDecodeKeys + j]), value, sums[r][i]);
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < rows; r++) {
#pragma GCC unroll 4
    for (int i = 0; i < vectors; i++) {
      sums[r][i].store(sum + r * sum_stride + i * Vec::width, clampCount(columns - i * Vec::width, Vec::width));
    }
  }
}

template <typename Element, int rows>
void addWeightedRows(const float* weights, const Element* v, int64_t stride, int keys, int columns, float* sum) {
  int c = 0;
  for (; columns - c >= 4 * Vec::width; c += 4 * Vec::width) {
    addWeighted<Element, rows, 4>(weights, v + c, stride, keys, columns - c, sum + c, columns);
  }
  for (; c < columns; c += Vec::width) {
    addWeighted<Element, rows, 1>(weights, v + c, stride, keys, columns - c, sum + c, columns);
  }
}

/** What at most kFewRows heads of one key head have seen of their keys: weighted sums of values, `size` apart, and the running softmax. */
struct Seen {
  float *sums, *maxima, *totals;
};

/** Adds the keys in rows first … end - 1 of the cache. @param q of these heads */
template <typename Element>
void addKeys(const Decode& call, const float* q, int64_t first, int64_t end, int64_t kv_head, int heads, const Seen& seen) {
  const int size = call.head_size;
  const int64_t stride = call.keyStride();
  alignas(64) float weights[kFewRows * kDecodeKeys];
  for (int64_t key = first; key < end; key += kDecodeKeys) {
    const int keys = static_cast<int>(smaller(end - key, kDecodeKeys));
    const Element* k = static_cast<const Element*>(call.k) + key * stride + kv_head * size;
    const Element* v = static_cast<const Element*>(call.v) + key * stride + kv_head * size;
    const Matrix rows_of_k{k, call.type, stride, true};
    const FewRows scores{q, size, &rows_of_k, weights, kDecodeKeys, heads, keys, size, call.scale, false, 0};
    dotRows<Cells::exact, Element>(scores, 0, keys);
    for (int r = 0; r < heads; r++) {
      const int columns = static_cast<int>(roundUp(keys, Vec::width));
      capScores(weights + r * kDecodeKeys, columns, call.soft_cap);
      const float shrink = softmaxRow(weights + r * kDecodeKeys, columns, {0, keys}, seen.maxima[r], seen.totals[r]);
      if (shrink != 1) scaleRow(seen.sums + r * size, size, shrink);
    }
    int r = 0;
    for (; r + 4 <= heads; r += 4) {
      addWeightedRows<Element, 4>(weights + r * kDecodeKeys, v, stride, keys, size, seen.sums + r * size);
    }
    const float* rest = weights + r * kDecodeKeys;
    switch (heads - r) {
      case 3: addWeightedRows<Element, 3>(rest, v, stride, keys, size, seen.sums + r * size); break;
      case 2: addWeightedRows<Element, 2>(rest, v, stride, keys, size, seen.sums + r * size); break;
      case 1: addWeightedRows<Element, 1>(rest, v, stride, keys, size, seen.sums + r * size); break;
    }
  }
}

/** @param sinks of these heads, or null */
inline void forget(const Seen& seen, int heads, int size, const float* sinks) {
  std::memset(seen.sums, 0, heads * size * sizeof(float));
  for (int r = 0; r < heads; r++) beginSoftmax(sinks, r, seen.maxima[r], seen.totals[r]);
}

/** At most kFewRows heads of one key head over one part of the keys. */
template <typename Element>
void decodeHeads(const Decode& call, int64_t part, int64_t kv_head, int64_t head, int heads) {
  const int64_t slot = part * call.heads + head, first = call.first_key + part * call.keys_per_part;
  const Seen seen{call.sums + slot * call.head_size, call.maxima + slot, call.totals + slot};
  forget(seen, heads, call.head_size, nullptr);  // the sink is no part's: combineParts
  addKeys<Element>(call, call.q + head * call.head_size, first, smaller(first + call.keys_per_part, call.end_key), kv_head, heads, seen);
}

inline void decodeTask(void* argument, int64_t index, int) {
  const Decode& call = *static_cast<const Decode*>(argument);
  const int group = call.heads / call.kv_heads;
  const int64_t kv_head = index % call.kv_heads, part = index / call.kv_heads;
  for (int first = 0; first < group; first += kFewRows) {
    const int heads = static_cast<int>(smaller(group - first, kFewRows));
    const auto decode = call.type == DType::bf16 ? decodeHeads<uint16_t> : decodeHeads<float>;
    decode(call, part, kv_head, kv_head * group + first, heads);
  }
}

/** The parts' sums of one head, each shrunk to the highest maximum, over their common total. */
inline void combineParts(const Decode& call, int64_t head, float* out) {
  const float sink = call.sinks ? call.sinks[head] : -INFINITY;
  float highest = sink;
  for (int64_t part = 0; part < call.parts; part++) highest = ::fmaxf(highest, call.maxima[part * call.heads + head]);
  float total = ::expf(sink - highest);
  std::memset(out, 0, call.head_size * sizeof(float));
  for (int64_t part = 0; part < call.parts; part++) {
    const int64_t slot = part * call.heads + head;
    const float factor = ::expf(call.maxima[slot] - highest);
    total += factor * call.totals[slot];
    for (int c = 0; c < call.head_size; c += Vec::width) {
      const int lanes = clampCount(call.head_size - c, Vec::width);
      const Vec sums = Vec::load(call.sums + slot * call.head_size + c, lanes);
      fma(Vec::set(factor), sums, Vec::load(out + c, lanes)).store(out + c, lanes);
    }
  }
  scaleRow(out, call.head_size, 1 / total);
}

inline void decodeOne(Context& context, Decode call, float* out) {
  constexpr int64_t most_parts = 16, scratch_floats = kScratchBytesPerThread / sizeof(float);
  static_assert(kMaxHeads * (kMaxHeadSize + 2) <= scratch_floats, "room for one part");
  const int64_t slot_floats = int64_t{call.heads} * (call.head_size + 2), keys = call.end_key - call.first_key;
  const int64_t fitting = smaller(scratch_floats / slot_floats, most_parts);
  call.keys_per_part = roundUp((keys + fitting - 1) / fitting, kDecodeKeys);
  call.parts = (keys + call.keys_per_part - 1) / call.keys_per_part;
  call.sums = reinterpret_cast<float*>(context.scratch);
  call.maxima = call.sums + call.parts * call.heads * call.head_size;
  call.totals = call.maxima + call.parts * call.heads;
  runTasks(context, keys * call.heads * call.head_size, call.parts * call.kv_heads, decodeTask, &call);
  for (int64_t head = 0; head < call.heads; head++) combineParts(call, head, out + head * call.head_size);
}

/** One token of each of many sequences: a task has one of them and one key head, over all its keys. */
struct DecodeEach {
  Decode shared;
  const CachedSequences* sequences;
  int window;
  float* out;
};

template <typename Element>
void decodeEach(const DecodeEach& call, const CachedSequence& sequence, int64_t kv_head) {
  const Decode& shared = call.shared;
  const int size = shared.head_size, group = shared.heads / shared.kv_heads;
  const int64_t end = sequence.start + 1, first = call.window > 0 ? larger(end - call.window, 0) : 0;
  const int64_t prompt_end = smaller(end, sequence.prompt_tokens), answer_first = larger(first, sequence.prompt_tokens);
  for (int in_group = 0; in_group < group; in_group += kFewRows) {
    const int heads = static_cast<int>(smaller(group - in_group, kFewRows));
    const int64_t at = (sequence.first * shared.heads + kv_head * group + in_group) * size;
    float maxima[kFewRows], totals[kFewRows];
    const Seen seen{call.out + at, maxima, totals};
    forget(seen, heads, size, shared.sinks ? shared.sinks + kv_head * group + in_group : nullptr);
    if (first < prompt_end) {
      addKeys<Element>(shared, shared.q + at, sequence.rowOf(first), sequence.rowOf(first) + prompt_end - first, kv_head, heads, seen);
    }
    if (answer_first < end) {
      const int64_t row = sequence.rowOf(answer_first);
      addKeys<Element>(shared, shared.q + at, row, row + end - answer_first, kv_head, heads, seen);
    }
    for (int r = 0; r < heads; r++) scaleRow(seen.sums + r * size, size, 1 / totals[r]);
  }
}

inline void decodeEachTask(void* argument, int64_t index, int) {
  const DecodeEach& call = *static_cast<const DecodeEach*>(argument);
  const CachedSequence sequence = call.sequences->at(index / call.shared.kv_heads);
  if (sequence.tokens > 1) return;
  const auto decode = call.shared.type == DType::bf16 ? decodeEach<uint16_t> : decodeEach<float>;
  decode(call, sequence, index % call.shared.kv_heads);
}

}  // namespace anneal::ANNEAL_ISA
