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

/** What is added to a float of less than 2^22 and taken away again leaves the nearest integer, the even one of two. */
constexpr float kToIntegers = 12582912.0f;

// Lane by lane the nearest integer, and a < b ? a : b, and a > b ? a : b: one instruction each, of which GCC makes two with AVX-512.
#if defined(__x86_64__)
inline __m128 integral(__m128 x) { return _mm_sub_ps(_mm_add_ps(x, _mm_set1_ps(kToIntegers)), _mm_set1_ps(kToIntegers)); }
inline __m128 lesser(__m128 a, __m128 b) { return _mm_min_ps(a, b); }
inline __m128 greater(__m128 a, __m128 b) { return _mm_max_ps(a, b); }
#if defined(__AVX2__)
inline __m256 integral(__m256 x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline __m256 lesser(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
inline __m256 greater(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
#endif
#if defined(__AVX512F__)
inline __m512 integral(__m512 x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline __m512 lesser(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
inline __m512 greater(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
#endif
#else
template <class Part>
inline Part integral(Part x) {
  return (x + kToIntegers) - kToIntegers;
}
template <class Part>
inline Part lesser(Part a, Part b) {
  return a < b ? a : b;
}
template <class Part>
inline Part greater(Part a, Part b) {
  return a > b ? a : b;
}
#endif

/** target[i] = table[places[i]], for sixteen places, so that a vector that is loaded from `target` does not wait for single stores. */
inline void lookUp(const uint32_t* table, const int* places, uint32_t* target) {
#if defined(__AVX512F__)
  _mm512_storeu_si512(target, _mm512_i32gather_epi32(_mm512_loadu_si512(places), table, 4));
#elif defined(__AVX2__)
  for (int i = 0; i < 16; i += 8) {
    const __m256i wanted = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(places + i));
    const __m256i found = _mm256_i32gather_epi32(reinterpret_cast<const int*>(table), wanted, 4);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(target + i), found);
  }
#else
  for (int i = 0; i < 16; i++) target[i] = table[places[i]];
#endif
}

/** As many as a vector has lanes: of each word what stands in a table of eight at its three bits from bit `first` on. */
template <int kWidth>
inline void lookUpDigits(const float* table, const uint32_t* words, int first, float* target) {
#if defined(__AVX512F__)
  if constexpr (kWidth == 16) {
    const __m512 twice = _mm512_broadcast_f32x8(_mm256_loadu_ps(table));
    _mm512_storeu_ps(target, _mm512_permutexvar_ps(_mm512_srli_epi32(_mm512_loadu_si512(words), first), twice));
    return;
  }
#endif
#if defined(__AVX2__)
  if constexpr (kWidth == 8) {
    const __m256i wanted = _mm256_srli_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(words)), first);
    _mm256_storeu_ps(target, _mm256_permutevar8x32_ps(_mm256_loadu_ps(table), wanted));
    return;
  }
#endif
  for (int i = 0; i < kWidth; i++) target[i] = table[words[i] >> first & 7];
}

/** The first of sixteen, not NaN, that none is less than. */
inline int firstLeast(const float* x) {
#if defined(__AVX512F__)
  const __m512 all = _mm512_loadu_ps(x);
  return __builtin_ctz(_mm512_cmp_ps_mask(all, _mm512_set1_ps(_mm512_reduce_min_ps(all)), _CMP_EQ_OQ) | 1 << 15);
#else
  int first = 0;
  for (int i = 1; i < 16; i++) first = x[i] < x[first] ? i : first;
  return first;
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
    for (Part& part : parts) part = value - Part{};  // x - 0 is x, where x + 0 would be an addition
  }

  static Lanes load(const float* from) {
    Lanes lanes;
    __builtin_memcpy(lanes.parts, from, sizeof lanes.parts);
    return lanes;
  }
  /** Of each word what stands in a table of eight at its three bits from bit `first` on. */
  static Lanes ofDigits(const float* table, const uint32_t* words, int first) {
    Lanes lanes;
    for (int p = 0; p < kParts; p++) {
      float found[kWidth];
      lookUpDigits<kWidth>(table, words + p * kWidth, first, found);
      __builtin_memcpy(&lanes.parts[p], found, sizeof found);
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

  friend Lanes nearestIntegers(Lanes a) {
    for (int p = 0; p < kParts; p++) a.parts[p] = integral(a.parts[p]);
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
