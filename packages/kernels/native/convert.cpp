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

uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

/** The product moves the exponent from a half's bias to a float's, subnormals included. */
float fromF16(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, rest = half & 0x7fffu;
  return fromBits(bitsOf(fromBits(rest << 13) * 0x1p112f) | sign | (rest >= 0x7c00u ? 0x7f800000u : 0u));
}

uint16_t toBf16(float value) {
  const uint32_t bits = bitsOf(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

template <class Value>
Value at(const uint8_t* values, uint64_t i) {
  Value value;
  std::memcpy(&value, values + i * sizeof value, sizeof value);
  return value;
}

/** One loop for each pair of types, which compilers make vectors of. */
template <class Value, class Make>
void convertEach(char* target, uint64_t count, const Make& make) {
  for (uint64_t i = 0; i < count; i++) {
    const Value value = make(i);
    std::memcpy(target + i * sizeof value, &value, sizeof value);
  }
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

bool isSameType(SourceType from, DType to) {
  return (from == SourceType::f32 && to == DType::f32) || (from == SourceType::bf16 && to == DType::bf16) ||
         (from == SourceType::i32 && to == DType::i32) || (from == SourceType::f64 && to == DType::f64) ||
         (from == SourceType::u8 && to == DType::u8);
}

void checkConvertible(SourceType from, DType to) {
  const bool isFloat = from == SourceType::f32 || from == SourceType::bf16 || from == SourceType::f16;
  if (!isSameType(from, to) && !(isFloat && (to == DType::f32 || to == DType::bf16)))
    throw std::runtime_error("values of this type cannot be written to this variable");
}

void convert(const uint8_t* source, SourceType from, char* target, DType to, uint64_t count) {
  if (isSameType(from, to)) {
    std::memcpy(target, source, count * sourceBytes(from));
    return;
  }
  checkConvertible(from, to);
  const auto into = [&](auto load) {
    if (to == DType::f32) convertEach<uint32_t>(target, count, [&](uint64_t i) { return bitsOf(load(i)); });
    else convertEach<uint16_t>(target, count, [&](uint64_t i) { return toBf16(load(i)); });
  };
  if (from == SourceType::f32) into([=](uint64_t i) { return fromBits(at<uint32_t>(source, i)); });
  else if (from == SourceType::bf16) into([=](uint64_t i) { return fromBits(uint32_t{at<uint16_t>(source, i)} << 16); });
  else into([=](uint64_t i) { return fromF16(at<uint16_t>(source, i)); });
}

}  // namespace anneal
