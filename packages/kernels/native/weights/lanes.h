#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// Floats side by side, in as many vectors of the processor's own width as they take: a vector type wider than that would be taken
// apart into single floats wherever two are compared.

namespace anneal::ANNEAL_ISA {

#if defined(__AVX512F__)
constexpr int kNativeLanes = 16;
#elif defined(__AVX2__)
constexpr int kNativeLanes = 8;
#else
constexpr int kNativeLanes = 4;
#endif

// Lane by lane a < b ? a : b, and a > b ? a : b: one instruction, of which GCC makes two with AVX-512.
#if defined(__x86_64__)
inline __m128 lesser(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
inline __m128 greater(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
#if defined(__AVX2__)
inline __m256 lesser(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
inline __m256 greater(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
#endif
#if defined(__AVX512F__)
inline __m512 lesser(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
inline __m512 greater(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
#endif
#else
template <class Part>
inline Part lesser(Part a, Part b) {
  return a < b ? a : b;
}
template <class Part>
inline Part greater(Part a, Part b) {
  return a > b ? a : b;
}
#endif

/** target[i] = table[places[i]], for eight places, so that a vector that is loaded from `target` does not wait for eight stores. */
inline void lookUp(const uint32_t* table, const int* places, uint32_t* target) {
#if defined(__AVX2__)
  const __m256i wanted = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(places));
  const __m256i found = _mm256_i32gather_epi32(reinterpret_cast<const int*>(table), wanted, 4);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(target), found);
#else
  for (int i = 0; i < 8; i++) target[i] = table[places[i]];
#endif
}

template <int Count>
class Lanes {
  static constexpr int kWidth = Count < kNativeLanes ? Count : kNativeLanes;
  static constexpr int kParts = Count / kWidth;
  typedef float Part __attribute__((vector_size(kWidth * 4)));
  typedef int PartMask __attribute__((vector_size(kWidth * 4)));

  Part parts[kParts];

 public:
  struct Mask {
    PartMask parts[kParts];

    friend Mask operator&(Mask a, const Mask& b) {
      for (int p = 0; p < kParts; p++) a.parts[p] &= b.parts[p];
      return a;
    }
  };

  /** Lanes{} is all zeros. */
  Lanes() = default;
  /** The same in every lane. */
  Lanes(float value) {
    for (Part& part : parts) part = Part{} + value;
  }

  static Lanes load(const float* from) {
    Lanes lanes;
    __builtin_memcpy(lanes.parts, from, sizeof lanes.parts);
    return lanes;
  }
  /** Of each word `count` bits from bit `first` on. */
  static Lanes loadBits(const uint32_t* words, int first, int count) {
    Mask integers;
    Lanes lanes;
    for (int p = 0; p < kParts; p++) {
      __builtin_memcpy(&integers.parts[p], words + p * kWidth, 4 * kWidth);
      lanes.parts[p] = __builtin_convertvector(integers.parts[p] >> first & ((1 << count) - 1), Part);
    }
    return lanes;
  }
  void store(float* target) const {
    for (int p = 0; p < kParts; p++) __builtin_memcpy(target + p * kWidth, &parts[p], 4 * kWidth);
  }
  /** Without what follows the point. */
  void storeIntegers(int* target) const {
    Mask integers;
    for (int p = 0; p < kParts; p++) {
      integers.parts[p] = __builtin_convertvector(parts[p], PartMask);
      __builtin_memcpy(target + p * kWidth, &integers.parts[p], 4 * kWidth);
    }
  }

  float operator[](int lane) const { return parts[lane / kWidth][lane % kWidth]; }
  void set(int lane, float value) { parts[lane / kWidth][lane % kWidth] = value; }

  Lanes& operator+=(const Lanes& other) { return *this = *this + other; }

  friend Lanes operator+(Lanes a, const Lanes& b) {
    for (int p = 0; p < kParts; p++) a.parts[p] += b.parts[p];
    return a;
  }
  friend Lanes operator-(Lanes a, const Lanes& b) {
    for (int p = 0; p < kParts; p++) a.parts[p] -= b.parts[p];
    return a;
  }
  friend Lanes operator*(Lanes a, const Lanes& b) {
    for (int p = 0; p < kParts; p++) a.parts[p] *= b.parts[p];
    return a;
  }
  friend Lanes operator/(Lanes a, const Lanes& b) {
    for (int p = 0; p < kParts; p++) a.parts[p] /= b.parts[p];
    return a;
  }
  friend Lanes operator-(Lanes a) {
    for (Part& part : a.parts) part = -part;
    return a;
  }

  friend Mask operator<(const Lanes& a, const Lanes& b) {
    Mask mask;
    for (int p = 0; p < kParts; p++) mask.parts[p] = a.parts[p] < b.parts[p];
    return mask;
  }
  friend Mask operator>(const Lanes& a, const Lanes& b) { return b < a; }

  /** Vector by vector. */
  template <class Each>
  friend Lanes eachVector(Lanes a, const Each& each) {
    for (Part& part : a.parts) part = each(part);
    return a;
  }

  friend Lanes least(const Lanes& a, Lanes b) {
    for (int p = 0; p < kParts; p++) b.parts[p] = lesser(a.parts[p], b.parts[p]);
    return b;
  }
  friend Lanes most(const Lanes& a, Lanes b) {
    for (int p = 0; p < kParts; p++) b.parts[p] = greater(a.parts[p], b.parts[p]);
    return b;
  }

  /** Lane by lane: mask ? a : b. */
  friend Lanes select(const Mask& mask, const Lanes& a, Lanes b) {
    for (int p = 0; p < kParts; p++) b.parts[p] = mask.parts[p] ? a.parts[p] : b.parts[p];
    return b;
  }
};

}  // namespace anneal::ANNEAL_ISA
