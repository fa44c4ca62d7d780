#include "k_quants.h"
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

template <void (*encodeBlock)(const float*, uint8_t*)>
void encodeBlocks(const float* x, int64_t count, int length, int bytes, uint8_t* target) {
  for (int64_t i = 0; i < count; i += length, target += bytes) encodeBlock(x + i, target);
}

/** Of types that are encoded several blocks at a time. */
template <void (*encodeSome)(const float*, int, uint8_t*)>
void encodeTogether(const float* x, int64_t count, int length, int bytes, uint8_t* target) {
  const int64_t blocks = count / length, together = 512 / length;
  for (int64_t i = 0; i < blocks; i += together) {
    const int64_t some = blocks - i < together ? blocks - i : together;
    encodeSome(x + i * length, static_cast<int>(some), target + i * bytes);
  }
}

void encode(const float* x, int64_t count, WeightType type, int length, int bytes, uint8_t* target) {
  switch (type) {
    case WeightType::f32:
      std::memcpy(target, x, static_cast<size_t>(count) * 4);
      return;
    case WeightType::f16:
      for (int64_t i = 0; i < count; i++) store16(target + 2 * i, halfOf(x[i]));
      return;
    case WeightType::bf16:
      for (int64_t i = 0; i < count; i++) store16(target + 2 * i, bfloat16Of(x[i]));
      return;
    case WeightType::q8_0:
      return encodeBlocks<encodeQ8_0>(x, count, length, bytes, target);
    case WeightType::q4_0:
      return encodeBlocks<encodeQ4_0>(x, count, length, bytes, target);
    case WeightType::q5_0:
      return encodeBlocks<encodeQ5_0>(x, count, length, bytes, target);
    case WeightType::q5_1:
      return encodeBlocks<encodeQ5_1>(x, count, length, bytes, target);
    case WeightType::q2_k:
      return encodeBlocks<encodeQ2_K>(x, count, length, bytes, target);
    case WeightType::q3_k:
      return encodeBlocks<encodeQ3_K>(x, count, length, bytes, target);
    case WeightType::q4_k:
      return encodeBlocks<encodeQ4_K>(x, count, length, bytes, target);
    case WeightType::q5_k:
      return encodeBlocks<encodeQ5_K>(x, count, length, bytes, target);
    case WeightType::q6_k:
      return encodeBlocks<encodeQ6_K>(x, count, length, bytes, target);
    case WeightType::iq4_nl:
      return encodeTogether<encodeIQ4_NL>(x, count, length, bytes, target);
    case WeightType::iq4_xs:
      return encodeTogether<encodeIQ4_XS>(x, count, length, bytes, target);
  }
}

}  // namespace

void encodeRows(const EncodeJob& job, int64_t first, int64_t count, Unrepresentable& found) {
  alignas(64) float x[kChunk];
  double delta[kChunk];
  for (int64_t row = first; row < first + count; row++) {
    const double stretch = stretchOf(job, row);
    for (int64_t column = 0; column < job.columns; column += kChunk) {
      const int64_t length = job.columns - column < kChunk ? job.columns - column : kChunk;
      const int64_t at = row * job.columns + column;
      loadFloats(sourceAt(job, at), job.source_type, length, x);
      if (job.a) {
        multiply(job, row, column, length, delta);
        for (int64_t i = 0; i < length; i++) x[i] = static_cast<float>((x[i] + delta[i]) * stretch);
      }
      for (size_t t = 0; t < job.target_count; t++) {
        const EncodeJob::Target& target = job.targets[t];
        const WeightFormat& format = weightFormat(target.type);
        const int64_t beyond = firstBeyond(x, length, static_cast<float>(format.limit));
        if (beyond >= 0) {
          found = {at + beyond, x[beyond], static_cast<int32_t>(t)};
          return;
        }
        encode(x, length, target.type, format.length, format.bytes, target.bytes + at / format.length * format.bytes);
      }
    }
  }
}

}  // namespace anneal::ANNEAL_ISA
