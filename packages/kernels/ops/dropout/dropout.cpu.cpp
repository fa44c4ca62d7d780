#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

struct Key {
  uint32_t low, high;
};

/** Philox 4x32-10 of the counter in each lane. */
inline void philox(Words (&counter)[4], Key key) {
#pragma GCC unroll 10
  for (int round = 0; round < 10; round++) {
    Words high0, low0, high2, low2;
    multiplyWide(counter[0], Words::set(0xD2511F53u), high0, low0);
    multiplyWide(counter[2], Words::set(0xCD9E8D57u), high2, low2);
    counter[0] = high2 ^ counter[1] ^ Words::set(key.low);
    counter[1] = low2;
    counter[2] = high0 ^ counter[3] ^ Words::set(key.high);
    counter[3] = low0;
    key.low += 0x9E3779B9u;
    key.high += 0xBB67AE85u;
  }
}

constexpr int kElements = 4 * Vec::width;  // four random words of each counter

/** The random words of kElements elements from `first` on, a multiple of kElements. Element i takes word i % 4 of counter i / 4. */
inline void randomWords(int64_t first, uint32_t stream, Key key, Words (&words)[4]) {
  // Four neighboring lanes take counters so far apart that the transposed squares hold neighboring elements.
  uint32_t offsets[Vec::width];
  for (int lane = 0; lane < Vec::width; lane++) offsets[lane] = lane % 4 * (Vec::width / 4) + lane / 4;
  const int64_t counter = first / 4;
  words[0] = Words::set(static_cast<uint32_t>(counter)) + Words::load(offsets);
  words[1] = Words::set(static_cast<uint32_t>(counter >> 32));
  words[2] = Words::set(stream);
  words[3] = Words::set(0);
  philox(words, key);
  transposeFours(words);
}

}  // namespace

const char* dropout(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const int32_t* seed = launch.inputs[1].i32();
  float* y = launch.outputs[0].f32();
  const double rate = launch.attributes[0];
  const uint32_t stream = static_cast<uint32_t>(launch.attributes[1]);
  const Key key{static_cast<uint32_t>(seed[0]), static_cast<uint32_t>(seed[1])};
  const Words threshold = Words::set(static_cast<uint32_t>(rate * 4294967296.0));
  const Vec scale = Vec::set(static_cast<float>(1.0 / (1.0 - rate)));
  constexpr int64_t grain = 8192;
  static_assert(grain % kElements == 0);
  parallelFor(*launch.context, launch.outputs[0].elements(), grain, [=](int64_t begin, int64_t end) {
    for (int64_t first = begin; first < end; first += kElements) {
      Words words[4];
      randomWords(first, stream, key, words);
      for (int part = 0; part < 4; part++) {
        const int64_t i = first + part * Vec::width;
        if (i >= end) break;
        const int count = lanesAt(i, end);
        keepFrom(threshold, words[part], Vec::load(x + i, count) * scale).store(y + i, count);
      }
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
