#include <cmath>

#include "cpu/documents.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** No place in a model has this stream of random words. */
constexpr uint32_t kStream = 0xffffffffu;

/** Philox 4x32-10: the four random words of a counter, as dropout draws them. */
inline void noiseWords(uint64_t index, const int32_t* seed, uint32_t (&c)[4]) {
  c[0] = static_cast<uint32_t>(index), c[1] = static_cast<uint32_t>(index >> 32), c[2] = kStream, c[3] = 0;
  uint32_t low = static_cast<uint32_t>(seed[0]), high = static_cast<uint32_t>(seed[1]);
  for (int round = 0; round < 10; round++) {
    const uint64_t a = uint64_t{c[0]} * 0xD2511F53u, b = uint64_t{c[2]} * 0xCD9E8D57u;
    c[0] = static_cast<uint32_t>(b >> 32) ^ c[1] ^ low;
    c[1] = static_cast<uint32_t>(b);
    c[2] = static_cast<uint32_t>(a >> 32) ^ c[3] ^ high;
    c[3] = static_cast<uint32_t>(a);
    low += 0x9E3779B9u;
    high += 0xBB67AE85u;
  }
}

}  // namespace

const char* embedding_noise(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const int32_t* seed = launch.inputs[1].i32();
  const Documents documents(launch.inputs[2]);
  float* y = launch.outputs[0].f32();
  const int64_t tokens = launch.outputs[0].shape[0], width = launch.outputs[0].shape[1];
  if (const char* wrong = documents.check(tokens)) return wrong;
  const double alpha = launch.attributes[0];
  for (int64_t d = 0; d < documents.count; d++) {
    const int64_t from = documents.ends[d], rows = documents.ends[d + 1] - from;
    // A word as a signed integer is within ±2^31.
    const float most = static_cast<float>(alpha / std::sqrt(static_cast<double>(rows * width)) / 2147483648.0);
    parallelFor(*launch.context, rows, grainFor(width), [=](int64_t begin, int64_t end) {
      const int64_t first = (from + begin) * width, last = (from + end) * width;
      uint32_t words[4];
      for (int64_t i = first; i < last; i++) {
        if (i == first || i % 4 == 0) noiseWords(static_cast<uint64_t>(i / 4), seed, words);
        y[i] = x[i] + most * static_cast<float>(static_cast<int32_t>(words[i % 4]));
      }
    });
  }
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
