#include "../nf4.h"

#include "half.h"
#include "nf4_job.h"

namespace anneal::ANNEAL_ISA {

namespace {

/** Where the nearest value changes: half-way between neighbors. */
struct Nf4Borders {
  float at[15];

  Nf4Borders() {
    for (int i = 0; i < 15; i++) at[i] = (kNf4Values[i] + kNf4Values[i + 1]) / 2;
  }
};

/** The index of the nearest of 256 ascending values; half-way, the lower one. */
uint8_t nearest(const float* map, float x) {
  int low = 0;
  for (int step = 128; step > 0; step /= 2)
    if (low + step <= 255 && x > (map[low + step - 1] + map[low + step]) / 2) low += step;
  return static_cast<uint8_t>(low);
}

}  // namespace

void quantizeNf4Blocks(const Nf4Job& job, int64_t first, int64_t count) {
  const Nf4Borders borders;
  const int64_t bytes = job.source_type == SourceType::f32 ? 4 : 2;
  for (int64_t block = first; block < first + count; block++) {
    const int64_t begin = block * kNf4Block, length = job.count - begin < kNf4Block ? job.count - begin : kNf4Block;
    float x[kNf4Block] = {};
    loadFloats(job.source + begin * bytes, job.source_type, length, x);
    uint32_t largest = 0;  // as bits, whose order is that of the magnitudes, NaN last
    for (int i = 0; i < kNf4Block; i++) {
      const uint32_t size = bitsOf(x[i]) & 0x7fffffffu;
      largest = size > largest ? size : largest;
    }
    const float absmax = floatOf(largest);
    job.absmax[block] = absmax;
    // A block of zeros divides by zero and compares with NaN: all its codes are 0, as bitsandbytes has them.
    const float inverse = 1.0f / absmax;
    int32_t codes[kNf4Block] = {};
    for (int border = 0; border < 15; border++)
      for (int i = 0; i < kNf4Block; i++) codes[i] += x[i] * inverse > borders.at[border];
    for (int64_t i = 0; i < length; i += 2) job.codes[(begin + i) / 2] = static_cast<uint8_t>(codes[i] << 4 | codes[i + 1]);
  }
}

void quantizeNf4Absmax(const Nf4Job& job, float mean, int64_t first, int64_t count) {
  const int64_t blocks = (job.count + kNf4Block - 1) / kNf4Block;
  for (int64_t group = first; group < first + count; group++) {
    const int64_t begin = group * kNf4ScaleBlock, end = begin + kNf4ScaleBlock < blocks ? begin + kNf4ScaleBlock : blocks;
    float scale = 0;
    for (int64_t i = begin; i < end; i++) {
      const float x = job.absmax[i] - mean, size = x < 0 ? -x : x;
      scale = size > scale ? size : scale;
    }
    job.scales[group] = scale;
    const float inverse = 1.0f / scale;
    for (int64_t i = begin; i < end; i++) job.absmax_codes[i] = nearest(job.map, (job.absmax[i] - mean) * inverse);
  }
}

}  // namespace anneal::ANNEAL_ISA
