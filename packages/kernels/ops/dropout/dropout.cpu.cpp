#include "cpu/parallel.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

struct Four {
  uint32_t value[4];
};

/** Philox 4x32-10. */
inline Four philox(Four counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; round++) {
    const uint64_t a = uint64_t{0xD2511F53u} * counter.value[0], b = uint64_t{0xCD9E8D57u} * counter.value[2];
    counter = {{static_cast<uint32_t>(b >> 32) ^ counter.value[1] ^ key0, static_cast<uint32_t>(b),
                static_cast<uint32_t>(a >> 32) ^ counter.value[3] ^ key1, static_cast<uint32_t>(a)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

}  // namespace

const char* dropout(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  const int32_t* seed = launch.inputs[1].i32();
  float* y = launch.outputs[0].f32();
  const double rate = launch.attributes[0];
  const uint32_t stream = static_cast<uint32_t>(launch.attributes[1]);
  const uint32_t threshold = static_cast<uint32_t>(rate * 4294967296.0);
  const float scale = static_cast<float>(1.0 / (1.0 - rate));
  const int64_t elements = launch.outputs[0].elements();
  const uint32_t key0 = static_cast<uint32_t>(seed[0]), key1 = static_cast<uint32_t>(seed[1]);
  parallelFor(*launch.context, (elements + 3) / 4, 2048, [=](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      const Four random = philox({{static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), stream, 0}}, key0, key1);
      for (int64_t i = 4 * block; i < 4 * block + 4 && i < elements; i++) y[i] = random.value[i & 3] < threshold ? 0.0f : x[i] * scale;
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
