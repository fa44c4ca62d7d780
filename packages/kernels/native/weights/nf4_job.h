#pragma once

#include <cstdint>

#include "../convert.h"
#include "../thread_pool.h"

namespace anneal {

/** A weight to be held in NF4, its values in row-major order. All pointers are aligned for their type. */
struct Nf4Job {
  const uint8_t* source;  // count values of source_type: f32, bf16 or f16
  SourceType source_type;
  int64_t count;
  uint8_t* codes;  // two a byte, the first in the upper half
  float* absmax;   // of each block of 64
  // The absmaxes in 8 bits; null where they stay float32.
  uint8_t* absmax_codes;
  float* scales;     // of each block of 256 absmaxes
  const float* map;  // what the 256 codes stand for, ascending
};

/** The parts of `quantizeNf4`, for one instruction set: of blocks of weights, and of groups of absmaxes less their mean. */
struct Nf4Encoder {
  void (*blocks)(const Nf4Job&, int64_t first, int64_t count);
  void (*absmax)(const Nf4Job&, float mean, int64_t first, int64_t count);
};

/** null: the best one of this processor. Throws std::runtime_error for a set that it does not run. */
Nf4Encoder nf4Encoder(const char* isa);

/** Encodes the absmaxes where the job asks for it; returns their mean. */
float encodeAbsmax(const Nf4Job& job, const Nf4Encoder& encoder, ThreadPool& pool);

/**
 * The same bytes as bitsandbytes' quantize_4bit, for any number of threads and on every instruction set.
 * Returns the mean of the absmaxes, which is taken from them before they are encoded; not finite where a value is not.
 */
float quantizeNf4(const Nf4Job& job, const char* isa, ThreadPool& pool);

}  // namespace anneal
