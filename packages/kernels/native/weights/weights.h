#pragma once

#include <cstddef>
#include <cstdint>

#include "../convert.h"
#include "../thread_pool.h"
#include "iq3_tables.h"

namespace anneal {

/** The types weights are written in, numbered as in src/weights.ts. */
enum class WeightType : int32_t { f32, f16, bf16, q8_0, q4_0, q5_0, q5_1, q2_k, q3_k, q4_k, q5_k, q6_k, iq4_nl, iq4_xs, iq3_xxs, iq3_s };

constexpr int kWeightTypes = 16;

struct WeightFormat {
  int length;    // weights a block
  int bytes;     // bytes a block
  double limit;  // the largest magnitude it can hold
};

const WeightFormat& weightFormat(WeightType type);

/**
 * Rows of a matrix to be written in one or more types: y = W + scale · B A, with magnitudes y · magnitude / ‖y‖ row by row, in
 * float64, rounded to float32 once, then encoded. All pointers are aligned for their type; a row is whole blocks of every target's type.
 */
struct EncodeJob {
  const uint8_t* source;  // rows × columns of source_type: f32, bf16 or f16
  SourceType source_type;
  int64_t rows, columns;
  const float* a;  // rank × columns; null without an adapter
  const float* b;  // rows × rank
  int64_t rank;
  double scale;
  const float* magnitude;  // rows; null but for DoRA
  /** Of each column, how much errors in it count: finite, not negative; null where all count alike. */
  const float* importance;
  struct Target {
    WeightType type;
    uint8_t* bytes;
  };
  /** Of IQ3_XXS and IQ3_S; null where no target is of that type. */
  const Iq3Table* iq3_xxs;
  const Iq3Table* iq3_s;
  const Target* targets;
  size_t target_count;
};

/** The first weight, in row-major order, that a target cannot hold (too large, or NaN); index -1 when all were written. */
struct Unrepresentable {
  int64_t index;
  float value;
  int32_t target;
};

/** Same bits for any number of threads and on every instruction set. `isa` is one of instructionSets(). */
Unrepresentable encodeWeights(const EncodeJob& job, const char* isa, ThreadPool& pool);

}  // namespace anneal
