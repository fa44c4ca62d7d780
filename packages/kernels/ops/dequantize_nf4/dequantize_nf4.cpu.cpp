#include "cpu/parallel.h"
#include "kernel.h"
#include "nf4.h"

namespace anneal::ANNEAL_ISA {

/** Calls absmaxOf(block) once for each block. The product is rounded to float32, the activations' type. */
template <class AbsmaxOf>
static void dequantize(const Launch& launch, const AbsmaxOf& absmaxOf) {
  const uint8_t* codes = launch.inputs[0].u8();
  float* weight = launch.outputs[0].f32();
  const int64_t count = launch.outputs[0].elements();
  parallelFor(*launch.context, launch.inputs[1].shape[0], 16384 / kNf4Block, [=](int64_t first, int64_t last) {
    for (int64_t block = first; block < last; block++) {
      const int64_t begin = block * kNf4Block, end = begin + kNf4Block < count ? begin + kNf4Block : count;
      const float absmax = absmaxOf(block);
      float values[16];
      for (int code = 0; code < 16; code++) values[code] = kNf4Values[code] * absmax;
      for (int64_t i = begin; i < end; i += 2) {
        weight[i] = values[codes[i / 2] >> 4];
        weight[i + 1] = values[codes[i / 2] & 15];
      }
    }
  });
}

const char* dequantize_nf4(const Launch& launch) {
  const float* absmax = launch.inputs[1].f32();
  dequantize(launch, [=](int64_t block) { return absmax[block]; });
  return nullptr;
}

const char* dequantize_nf4_double(const Launch& launch) {
  const uint8_t* absmax = launch.inputs[1].u8();
  const float *scales = launch.inputs[2].f32(), *map = launch.inputs[3].f32(), *offsets = launch.inputs[4].f32();
  dequantize(launch, [=](int64_t block) { return map[absmax[block]] * scales[block / kNf4ScaleBlock] + offsets[block / kNf4ScaleBlock]; });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
