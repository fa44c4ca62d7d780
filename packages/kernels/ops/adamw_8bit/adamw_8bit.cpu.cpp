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

/** As bits, whose order is that of the sizes, NaN last. */
uint32_t sizeOf(float value) { return floatToBits(value) & 0x7fffffffu; }

float largest(const float* moment) {
  uint32_t size = 0;
  for (int i = 0; i < kMomentBlock; i++) size = sizeOf(moment[i]) > size ? sizeOf(moment[i]) : size;
  return bitsToFloat(size);
}

/** Look-ups stand in a loop of their own, so that those before and after it are made of vectors; nothing in them branches. */
template <bool is_signed>
float encodeBlock(const DynamicMap& map, const float* moment, uint8_t* codes) {
  const float absmax = largest(moment), inverse = momentInverse(absmax);
  float x[kMomentBlock];
  int32_t found[kMomentBlock];
  for (int i = 0; i < kMomentBlock; i++) {
    x[i] = moment[i] * inverse;
    found[i] = cellOf(sizeOf(x[i]));
  }
  for (int i = 0; i < kMomentBlock; i++) found[i] = codeIn(map, found[i], bitsToFloat(sizeOf(x[i])));
  for (int i = 0; i < kMomentBlock; i++) codes[i] = static_cast<uint8_t>(is_signed ? withSign(found[i], x[i] < 0) : found[i]);
  return absmax;
}

struct Block {
  float *parameter, *m_absmax, *v_absmax;
  const float* gradient;
  uint8_t *m, *v;

  void update(const Adamw8bitRates& rates) const {
    float mean[kMomentBlock], square[kMomentBlock];
    const float m_scale = *m_absmax, v_scale = *v_absmax;
    for (int i = 0; i < kMomentBlock; i++) mean[i] = kSigned.value[m[i]];
    for (int i = 0; i < kMomentBlock; i++) square[i] = kUnsigned.value[v[i]];
    for (int i = 0; i < kMomentBlock; i++) {
      const float g = gradient[i] * rates.clip;
      mean[i] = fused(rates.rest1, g, mean[i] * m_scale * rates.beta1);
      square[i] = fused(rates.rest2 * g, g, square[i] * v_scale * rates.beta2);
    }
    for (int i = 0; i < kMomentBlock; i += Vec::width) {
      const Vec denominator = sqrt(Vec::load(square + i)) + Vec::set(rates.epsilon);
      const Vec moved = Vec::load(parameter + i) - Vec::set(rates.step_size) * (Vec::load(mean + i) / denominator);
      (moved * Vec::set(rates.decay)).store(parameter + i);
    }
    *m_absmax = encodeBlock<true>(kSigned, mean, m);
    *v_absmax = encodeBlock<false>(kUnsigned, square, v);
  }
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
