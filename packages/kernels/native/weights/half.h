#pragma once

#include <cstdint>
#include <cstring>

#include "../convert.h"

namespace anneal::ANNEAL_ISA {

inline uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, 4);
  return bits;
}

inline float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

/** To nearest, ties to even. Finite values only; beyond 65520 it is infinity. */
inline uint16_t halfOf(float value) {
  const uint32_t bits = bitsOf(value), sign = (bits >> 16) & 0x8000u, size = bits & 0x7fffffffu;
  // Adding 0.5 leaves the multiples of 2^-24, which subnormal halves are, in the low bits.
  const uint32_t small = bitsOf(floatOf(size) + 0.5f) - 0x3f000000u;
  const uint32_t normal = (size - (112u << 23) + 0xfffu + ((size >> 13) & 1u)) >> 13;
  const uint32_t half = size < (113u << 23) ? small : size >= 0x477ff000u ? 0x7c00u : normal;
  return static_cast<uint16_t>(sign | half);
}

inline float fromHalf(uint16_t half) {
  const uint32_t sign = uint32_t{half & 0x8000u} << 16, rest = half & 0x7fffu;
  // The product moves the exponent from a half's bias to a float's, subnormals included.
  return floatOf(bitsOf(floatOf(rest << 13) * 0x1p112f) | sign | (rest >= 0x7c00u ? 0x7f800000u : 0u));
}

inline uint16_t bfloat16Of(float value) {
  const uint32_t bits = bitsOf(value);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

inline void store16(uint8_t* target, uint16_t value) { std::memcpy(target, &value, 2); }

/** `count` values of f32, bf16 or f16 as float32. */
inline void loadFloats(const uint8_t* source, SourceType type, int64_t count, float* x) {
  if (type == SourceType::f32) {
    std::memcpy(x, source, static_cast<size_t>(count) * 4);
    return;
  }
  for (int64_t i = 0; i < count; i++) {
    uint16_t bits;
    std::memcpy(&bits, source + 2 * i, 2);
    x[i] = type == SourceType::bf16 ? floatOf(uint32_t{bits} << 16) : fromHalf(bits);
  }
}

}  // namespace anneal::ANNEAL_ISA
