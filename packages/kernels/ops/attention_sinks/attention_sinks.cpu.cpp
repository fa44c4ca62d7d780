#include <math.h>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

const char* attention_sinks_backward(const Launch& launch) {
  const float *sinks = launch.inputs[0].f32(), *lse = launch.inputs[1].f32(), *out = launch.inputs[2].f32(), *dout = launch.inputs[3].f32();
  float* gradient = launch.outputs[0].f32();
  const int64_t H = launch.inputs[1].shape[0], T = launch.inputs[1].shape[1], Q = launch.inputs[2].shape[1], size = Q / H;
  parallelFor(*launch.context, H, 1, [=](int64_t begin, int64_t end) {
    for (int64_t h = begin; h < end; h++) {
      float taken = 0;
      for (int64_t t = 0; t < T; t++) {
        const float *a = out + t * Q + h * size, *b = dout + t * Q + h * size;
        Vec products = Vec::zero();
        for (int64_t i = 0; i < size; i += Vec::width) {
          const int count = lanesAt(i, size);
          products = fma(Vec::load(a + i, count), Vec::load(b + i, count), products);
        }
        taken += ::expf(sinks[h] - lse[h * T + t]) * sum(products);
      }
      gradient[h] -= taken;
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
