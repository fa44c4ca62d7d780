#include <cfloat>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "dynamic_map.h"
#include "rates.h"

namespace anneal::ANNEAL_ISA {

namespace {

constexpr DynamicMap kSigned = makeDynamicMap(true), kUnsigned = makeDynamicMap(false);
static_assert(hasOneBorderACell(kSigned) && hasOneBorderACell(kUnsigned));

/** a · b + c rounded once, on processors without such an instruction, too. */
float fused(float a, float b, float c) { return static_cast<float>(static_cast<double>(a) * b + c); }

uint32_t sizeOf(float value) { return floatToBits(value) & 0x7fffffffu; }

struct Block {
  float *parameter, *m_absmax, *v_absmax;
  const float* gradient;
  uint8_t *m, *v;

  void update(const Adamw8bitRates& rates) const {
    float mean[kMomentBlock], square[kMomentBlock];
    uint32_t largest_mean = 0, largest_square = 0;  // as bits, whose order is that of the sizes, NaN last
    for (int i = 0; i < kMomentBlock; i++) {
      const float g = gradient[i] * rates.clip;
      mean[i] = fused(rates.rest1, g, kSigned.value[m[i]] * *m_absmax * rates.beta1);
      square[i] = fused(rates.rest2 * g, g, kUnsigned.value[v[i]] * *v_absmax * rates.beta2);
      largest_mean = sizeOf(mean[i]) > largest_mean ? sizeOf(mean[i]) : largest_mean;
      largest_square = sizeOf(square[i]) > largest_square ? sizeOf(square[i]) : largest_square;
    }
    for (int i = 0; i < kMomentBlock; i += Vec::width) {
      const Vec denominator = sqrt(Vec::load(square + i)) + Vec::set(rates.epsilon);
      const Vec moved = Vec::load(parameter + i) - Vec::set(rates.step_size) * (Vec::load(mean + i) / denominator);
      (moved * Vec::set(rates.decay)).store(parameter + i);
    }
    *m_absmax = bitsToFloat(largest_mean);
    *v_absmax = bitsToFloat(largest_square);
    const float m_inverse = inverse(*m_absmax), v_inverse = inverse(*v_absmax);
    for (int i = 0; i < kMomentBlock; i++) m[i] = static_cast<uint8_t>(encodeSigned(kSigned, mean[i] * m_inverse));
    for (int i = 0; i < kMomentBlock; i++) v[i] = static_cast<uint8_t>(encode(kUnsigned, square[i] * v_inverse));
  }

  /** A block of denormals counts as zero: their inverse would be infinite. */
  static float inverse(float absmax) { return absmax >= FLT_MIN ? 1 / absmax : 0; }
};

}  // namespace

const char* adamw_8bit(const Launch& launch) {
  const Tensor* inputs = launch.inputs;
  const Tensor* outputs = launch.outputs;
  const Adamw8bitRates rates = adamw8bitRates(launch.attributes, *inputs[6].f32(), *inputs[7].f32(), *inputs[8].i32());
  parallelFor(*launch.context, outputs[0].elements() / kMomentBlock, 32, [=](int64_t begin, int64_t end) {
    for (int64_t block = begin; block < end; block++) {
      const int64_t first = block * kMomentBlock;
      Block{outputs[0].f32() + first, outputs[2].f32() + block,   outputs[4].f32() + block,
            inputs[1].f32() + first,  outputs[1].u8() + first,    outputs[3].u8() + first}
          .update(rates);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
