#include "convert.h"

#include <cstring>
#include <stdexcept>

namespace anneal {
namespace {

float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

float fromF16(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, exponent = (half >> 10) & 31, mantissa = half & 0x3ff;
  if (exponent == 31) return fromBits(sign | 0x7f800000u | (mantissa << 13));
  if (exponent == 0) {
    const float value = static_cast<float>(mantissa) * 0x1p-24f;
    return sign ? -value : value;
  }
  return fromBits(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

uint16_t toBf16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace

size_t sourceBytes(SourceType type) {
  switch (type) {
    case SourceType::bf16:
    case SourceType::f16:
      return 2;
    case SourceType::f64:
      return 8;
    case SourceType::u8:
      return 1;
    default:
      return 4;
  }
}

void convert(const uint8_t* source, SourceType from, char* target, DType to, uint64_t count) {
  const bool same = (from == SourceType::f32 && to == DType::f32) || (from == SourceType::bf16 && to == DType::bf16) ||
                    (from == SourceType::i32 && to == DType::i32) || (from == SourceType::f64 && to == DType::f64) ||
                    (from == SourceType::u8 && to == DType::u8);
  if (same) {
    std::memcpy(target, source, count * sourceBytes(from));
    return;
  }
  const bool isFloat = from == SourceType::f32 || from == SourceType::bf16 || from == SourceType::f16;
  if (!isFloat || (to != DType::f32 && to != DType::bf16)) throw std::runtime_error("values of this type cannot be written to this variable");
  for (uint64_t i = 0; i < count; i++) {
    float value;
    if (from == SourceType::f32) {
      std::memcpy(&value, source + 4 * i, 4);
    } else {
      uint16_t bits;
      std::memcpy(&bits, source + 2 * i, 2);
      value = from == SourceType::bf16 ? fromBits(uint32_t{bits} << 16) : fromF16(bits);
    }
    if (to == DType::f32)
      std::memcpy(target + 4 * i, &value, 4);
    else {
      const uint16_t bits = toBf16(value);
      std::memcpy(target + 2 * i, &bits, 2);
    }
  }
}

}  // namespace anneal
