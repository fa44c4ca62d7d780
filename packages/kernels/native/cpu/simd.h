#pragma once

// Vectors of floats, and of words of as many bits, for the instruction set this unit is compiled for: 16 lanes with AVX-512, 8 with
// AVX2, 4 elsewhere. Everything lies in that set's namespace, as functions with one name must not be merged across sets by the linker.

#include <math.h>
#include <cstdint>
#include <cstring>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef ANNEAL_ISA
#error "compile with -DANNEAL_ISA=plain, avx2, avx512, avx512bf16, amx, neon or neonbf16"
#endif

namespace anneal::ANNEAL_ISA {

inline float bitsToFloat(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

inline uint32_t floatToBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

inline float fromBf16(uint16_t value) { return bitsToFloat(uint32_t{value} << 16); }

/** Rounds to nearest, ties to even; a NaN stays a quiet NaN. */
inline uint16_t toBf16(float value) {
  const uint32_t bits = floatToBits(value);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

}  // namespace anneal::ANNEAL_ISA

#if defined(__AVX512F__)
#include "simd_avx512.h"
#elif defined(__AVX2__)
#include "simd_avx2.h"
#elif defined(ANNEAL_NEON)
#include "simd_neon.h"
#else
#include "simd_plain.h"
#endif

namespace anneal::ANNEAL_ISA {

inline Vec operator-(Vec a) { return Vec::zero() - a; }
inline Vec& operator+=(Vec& a, Vec b) { return a = a + b; }
inline Vec& operator*=(Vec& a, Vec b) { return a = a * b; }

/** e^x = 2^n · (1 + growth), |growth| < 0.42 to within 2 ulp. Cephes' reduction, Taylor-like minimax of degree 6. */
struct Exponential {
  Vec n, growth;
};

inline Exponential exponential(Vec x) {
  const Vec n = round(x * Vec::set(1.44269504f));
  Vec r = fma(n, Vec::set(-0.693359375f), x);
  r = fma(n, Vec::set(2.12194440e-4f), r);
  Vec p = Vec::set(1.9875691500e-4f);
  p = fma(p, r, Vec::set(1.3981999507e-3f));
  p = fma(p, r, Vec::set(8.3334519073e-3f));
  p = fma(p, r, Vec::set(4.1665795894e-2f));
  p = fma(p, r, Vec::set(1.6666665459e-1f));
  p = fma(p, r, Vec::set(5.0000001201e-1f));
  return {n, fma(p, r * r, r)};
}

/** Lanes of a vector that begins at i and may reach beyond `end`. */
inline int lanesAt(int64_t i, int64_t end) { return static_cast<int>(end - i < Vec::width ? end - i : Vec::width); }

/** Calls body(first, lanes) for vectors of so many elements. */
template <class Body>
void forLanes(int64_t elements, const Body& body) {
  for (int64_t i = 0; i < elements; i += Vec::width) body(i, lanesAt(i, elements));
}

/** e^x to within 2 ulp; 0 below -104, infinity above 88.73, NaN for NaN. */
inline Vec exp(Vec x) {
  // The variable is the second operand, as min and max return that one when either is NaN.
  const Exponential e = exponential(min(Vec::set(89.0f), max(Vec::set(-104.0f), x)));
  return scaleByPowerOfTwo(e.growth + Vec::set(1.0f), e.n);
}

/** To within 4 ulp, also near 0: m / (m + 2) with m = e^2x - 1. */
inline Vec tanh(Vec x) {
  const Vec most = Vec::set(9.5f);  // from 9.02 on it is 1
  const Exponential e = exponential(Vec::set(2.0f) * min(most, max(-most, x)));
  const Vec m = scaleByPowerOfTwo(e.growth, e.n) + (scaleByPowerOfTwo(Vec::set(1.0f), e.n) - Vec::set(1.0f));
  return m / (m + Vec::set(2.0f));
}

/** 1 / (1 + e^-x). */
inline Vec sigmoid(Vec x) { return Vec::set(1.0f) / (Vec::set(1.0f) + exp(-x)); }

}  // namespace anneal::ANNEAL_ISA
