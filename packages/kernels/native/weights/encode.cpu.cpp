#include "important_blocks.h"
#include "k_quants.h"
#include "point_groups.h"
#include "simple_blocks.h"
#include "table_groups.h"
#include "weights.h"

namespace anneal::ANNEAL_ISA {

namespace {

/** Weights taken at a time, whole blocks of every type: they stay in the first-level cache. */
constexpr int64_t kChunk = 1024;

/** delta = scale · b A for `count` columns of one row. */
void multiply(const EncodeJob& job, int64_t row, int64_t column, int64_t count, double* delta) {
  for (int64_t i = 0; i < count; i++) delta[i] = 0;
  for (int64_t k = 0; k < job.rank; k++) {
    const double b = job.scale * job.b[row * job.rank + k];
    const float* a = job.a + k * job.columns + column;
    for (int64_t i = 0; i < count; i++) delta[i] += b * a[i];
  }
}

const uint8_t* sourceAt(const EncodeJob& job, int64_t at) { return job.source + at * (job.source_type == SourceType::f32 ? 4 : 2); }

/** What the merged row is multiplied by so that it has its magnitude's length; 1 without magnitudes. */
double stretchOf(const EncodeJob& job, int64_t row) {
  if (!job.magnitude) return 1;
  float x[kChunk];
  double delta[kChunk], squares = 0;
  for (int64_t column = 0; column < job.columns; column += kChunk) {
    const int64_t length = job.columns - column < kChunk ? job.columns - column : kChunk;
    loadFloats(sourceAt(job, row * job.columns + column), job.source_type, length, x);
    multiply(job, row, column, length, delta);
    for (int64_t i = 0; i < length; i++) squares += (x[i] + delta[i]) * (x[i] + delta[i]);
  }
  return job.magnitude[row] / __builtin_sqrt(squares);
}

/** The first weight whose magnitude is not within the limit, or -1. NaN never is. */
int64_t firstBeyond(const float* x, int64_t count, float limit) {
  int64_t beyond = 0;
  for (int64_t i = 0; i < count; i++) beyond += !(x[i] <= limit && x[i] >= -limit);
  if (beyond == 0) return -1;
  for (int64_t i = 0;; i++)
    if (!(x[i] <= limit && x[i] >= -limit)) return i;
}

/** Weights of one row in a row, whole blocks of every type. */
struct Chunk {
  const float* x;
  int64_t count;
  const float* importance;  // of their columns; null without
  float mean_square;        // of the whole row; 0 unless importance and a type that asks for it are there
};

template <void (*encodeBlock)(const float*, uint8_t*)>
void encodeBlocks(const Chunk& chunk, int length, int bytes, uint8_t* target) {
  for (int64_t i = 0; i < chunk.count; i += length, target += bytes) encodeBlock(chunk.x + i, target);
}

template <void (*encodeBlock)(const float*, const float*, uint8_t*)>
void encodeBlocks(const Chunk& chunk, int length, int bytes, uint8_t* target) {
  for (int64_t i = 0; i < chunk.count; i += length, target += bytes)
    encodeBlock(chunk.x + i, chunk.importance ? chunk.importance + i : nullptr, target);
}

/** Of types that are encoded several blocks at a time: encode(first weight, how many blocks, target). */
template <class Encode>
void encodeTogether(const Chunk& chunk, int length, int weights, int bytes, uint8_t* target, const Encode& encode) {
  const int64_t blocks = chunk.count / length, together = weights / length;
  for (int64_t i = 0; i < blocks; i += together) {
    const int64_t some = blocks - i < together ? blocks - i : together;
    encode(i * length, static_cast<int>(some), target + i * bytes);
  }
}

template <void (*encodeSome)(const float*, const float*, int, uint8_t*), int kTogether = 512>
void encodeTogether(const Chunk& chunk, int length, int bytes, uint8_t* target) {
  encodeTogether(chunk, length, kTogether, bytes, target, [&](int64_t first, int blocks, uint8_t* some) {
    encodeSome(chunk.x + first, chunk.importance ? chunk.importance + first : nullptr, blocks, some);
  });
}

/** Of types that are encoded block by block without importance, several at a time with it. */
template <void (*encodeBlock)(const float*, uint8_t*), void (*encodeImportant)(const float*, const float*, float, int, uint8_t*)>
void encodeEither(const Chunk& chunk, int length, int bytes, uint8_t* target) {
  if (!chunk.importance) return encodeBlocks<encodeBlock>(chunk, length, bytes, target);
  encodeTogether(chunk, length, 512, bytes, target, [&](int64_t first, int blocks, uint8_t* some) {
    encodeImportant(chunk.x + first, chunk.importance + first, chunk.mean_square, blocks, some);
  });
}

template <void (*encodeSome)(const Iq3Table&, const float*, const float*, int, uint8_t*)>
void encodePoints(const Iq3Table& table, const Chunk& chunk, int length, int bytes, uint8_t* target) {
  encodeTogether(chunk, length, 512, bytes, target, [&](int64_t first, int blocks, uint8_t* some) {
    encodeSome(table, chunk.x + first, chunk.importance ? chunk.importance + first : nullptr, blocks, some);
  });
}

void encode(const EncodeJob& job, const Chunk& chunk, WeightType type, int length, int bytes, uint8_t* target) {
  switch (type) {
    case WeightType::f32:
      std::memcpy(target, chunk.x, static_cast<size_t>(chunk.count) * 4);
      return;
    case WeightType::f16:
      for (int64_t i = 0; i < chunk.count; i++) store16(target + 2 * i, halfOf(chunk.x[i]));
      return;
    case WeightType::bf16:
      for (int64_t i = 0; i < chunk.count; i++) store16(target + 2 * i, bfloat16Of(chunk.x[i]));
      return;
    case WeightType::q8_0:
      return encodeBlocks<encodeQ8_0>(chunk, length, bytes, target);
    case WeightType::q4_0:
      return encodeEither<encodeQ4_0, encodeImportantQ4_0>(chunk, length, bytes, target);
    case WeightType::q5_0:
      return encodeEither<encodeQ5_0, encodeImportantQ5_0>(chunk, length, bytes, target);
    case WeightType::q5_1:
      return encodeEither<encodeQ5_1, encodeImportantQ5_1>(chunk, length, bytes, target);
    case WeightType::q2_k:
      return encodeTogether<encodeQ2_K, 256 * kVectorsTogether>(chunk, length, bytes, target);
    case WeightType::q3_k:
      return encodeBlocks<encodeQ3_K>(chunk, length, bytes, target);
    case WeightType::q4_k:
      return encodeTogether<encodeQ4_K, 512 * kVectorsTogether>(chunk, length, bytes, target);
    case WeightType::q5_k:
      return encodeTogether<encodeQ5_K, 512 * kVectorsTogether>(chunk, length, bytes, target);
    case WeightType::q6_k:
      return encodeBlocks<encodeQ6_K>(chunk, length, bytes, target);
    case WeightType::iq4_nl:
      return encodeTogether<encodeIQ4_NL>(chunk, length, bytes, target);
    case WeightType::iq4_xs:
      return encodeTogether<encodeIQ4_XS>(chunk, length, bytes, target);
    case WeightType::iq3_xxs:
      return encodePoints<encodeIQ3_XXS>(*job.iq3_xxs, chunk, length, bytes, target);
    case WeightType::iq3_s:
      return encodePoints<encodeIQ3_S>(*job.iq3_s, chunk, length, bytes, target);
  }
}

/** Goes through a row in chunks, merged: use(first column, weights, how many) until it says false. */
template <class Use>
void forEachChunk(const EncodeJob& job, int64_t row, double stretch, const Use& use) {
  alignas(64) float x[kChunk];
  double delta[kChunk];
  for (int64_t column = 0; column < job.columns; column += kChunk) {
    const int64_t length = job.columns - column < kChunk ? job.columns - column : kChunk;
    loadFloats(sourceAt(job, row * job.columns + column), job.source_type, length, x);
    if (job.a) {
      multiply(job, row, column, length, delta);
      for (int64_t i = 0; i < length; i++) x[i] = static_cast<float>((x[i] + delta[i]) * stretch);
    }
    if (!use(column, x, length)) return;
  }
}

float meanSquareOf(const EncodeJob& job, int64_t row, double stretch) {
  float sum = 0;
  forEachChunk(job, row, stretch, [&](int64_t, const float* x, int64_t length) {
    for (int64_t i = 0; i < length; i++) sum += x[i] * x[i];
    return true;
  });
  return sum / static_cast<float>(job.columns);
}

/** Of the types with blocks of 32 that count errors by it. */
bool asksForMeanSquare(const EncodeJob& job) {
  bool asks = false;
  for (size_t t = 0; t < job.target_count; t++) {
    const WeightType type = job.targets[t].type;
    asks |= type == WeightType::q4_0 || type == WeightType::q5_0 || type == WeightType::q5_1;
  }
  return job.importance && asks;
}

}  // namespace

void encodeRows(const EncodeJob& job, int64_t first, int64_t count, Unrepresentable& found) {
  const bool hasMeanSquare = asksForMeanSquare(job);
  for (int64_t row = first; row < first + count && found.index < 0; row++) {
    const double stretch = stretchOf(job, row);
    const float mean_square = hasMeanSquare ? meanSquareOf(job, row, stretch) : 0;
    forEachChunk(job, row, stretch, [&](int64_t column, const float* x, int64_t length) {
      const int64_t at = row * job.columns + column;
      for (size_t t = 0; t < job.target_count; t++) {
        const EncodeJob::Target& target = job.targets[t];
        const WeightFormat& format = weightFormat(target.type);
        const int64_t beyond = firstBeyond(x, length, static_cast<float>(format.limit));
        if (beyond >= 0) {
          found = {at + beyond, x[beyond], static_cast<int32_t>(t)};
          return false;
        }
        const Chunk chunk = {x, length, job.importance ? job.importance + column : nullptr, mean_square};
        encode(job, chunk, target.type, format.length, format.bytes, target.bytes + at / format.length * format.bytes);
      }
      return true;
    });
  }
}

}  // namespace anneal::ANNEAL_ISA
