#pragma once

// The part of simd.h, which includes it, for any other machine: vectors of GCC and Clang, so SSE2 on x86-64.

namespace anneal::ANNEAL_ISA {

constexpr int kVectorRegisters = 16;

struct Vec {
  static constexpr int width = 4;
  typedef float Lanes __attribute__((vector_size(16)));
  Lanes lanes;

  static Vec set(float value) { return {Lanes{value, value, value, value}}; }
  static Vec zero() { return set(0.0f); }
  static Vec load(const float* from) {
    Vec result;
    std::memcpy(&result.lanes, from, sizeof result.lanes);
    return result;
  }
  /** The first `count` (0…width) lanes; zero in the others, whose memory is not touched. */
  static Vec load(const float* from, int count) {
    if (count == width) return load(from);  // a copy of fixed size is one instruction
    Vec result = zero();
    std::memcpy(&result.lanes, from, static_cast<size_t>(count) * sizeof *from);
    return result;
  }
  static Vec loadBf16(const uint16_t* from) { return loadBf16(from, width); }
  static Vec loadBf16(const uint16_t* from, int count) {
    Vec result = zero();
    for (int i = 0; i < count; i++) result.lanes[i] = fromBf16(from[i]);
    return result;
  }

  void store(float* to) const { std::memcpy(to, &lanes, sizeof lanes); }
  void store(float* to, int count) const {
    if (count == width) return store(to);
    std::memcpy(to, &lanes, static_cast<size_t>(count) * sizeof *to);
  }
  /** The first half of the lanes to `low`, the second to `high`. */
  void storeHalves(float* low, float* high) const {
    std::memcpy(low, &lanes, sizeof lanes / 2);
    std::memcpy(high, reinterpret_cast<const char*>(&lanes) + sizeof lanes / 2, sizeof lanes / 2);
  }
  void storeBf16(uint16_t* to) const { storeBf16(to, width); }
  void storeBf16(uint16_t* to, int count) const {
    for (int i = 0; i < count; i++) to[i] = toBf16(lanes[i]);
  }
};

inline Vec operator+(Vec a, Vec b) { return {a.lanes + b.lanes}; }
inline Vec operator-(Vec a, Vec b) { return {a.lanes - b.lanes}; }
inline Vec operator*(Vec a, Vec b) { return {a.lanes * b.lanes}; }
inline Vec operator/(Vec a, Vec b) { return {a.lanes / b.lanes}; }

/** a · b + c; rounded once only where the machine has it. */
inline Vec fma(Vec a, Vec b, Vec c) { return {a.lanes * b.lanes + c.lanes}; }
/** b where either is NaN. */
inline Vec max(Vec a, Vec b) { return {a.lanes > b.lanes ? a.lanes : b.lanes}; }
inline Vec min(Vec a, Vec b) { return {a.lanes < b.lanes ? a.lanes : b.lanes}; }
inline Vec abs(Vec a) {
  for (int i = 0; i < Vec::width; i++) a.lanes[i] = ::fabsf(a.lanes[i]);
  return a;
}
/** value, or 0 where x > limit. */
inline Vec zeroAbove(Vec value, Vec x, Vec limit) { return {x.lanes > limit.lanes ? Vec::zero().lanes : value.lanes}; }
inline Vec sqrt(Vec a) {
  for (int i = 0; i < Vec::width; i++) a.lanes[i] = ::sqrtf(a.lanes[i]);
  return a;
}

/** To the nearest integer, ties to even, for |a| < 2^22: adding 1.5 · 2^23 leaves no fraction bits. */
inline Vec round(Vec a) {
  const Vec big = Vec::set(12582912.0f);
  return (a + big) - big;
}

/** a · 2^n for integral n in [-252, 254], in two factors so that denormal results and infinity come out right. */
inline Vec scaleByPowerOfTwo(Vec a, Vec n) {
  for (int i = 0; i < Vec::width; i++) {
    // A NaN of exp arrives here as n and as a; any finite power keeps it.
    const int whole = n.lanes[i] == n.lanes[i] ? static_cast<int>(n.lanes[i]) : 0;
    const int half = whole >> 1;
    a.lanes[i] *= bitsToFloat(static_cast<uint32_t>(half + 127) << 23);
    a.lanes[i] *= bitsToFloat(static_cast<uint32_t>(whole - half + 127) << 23);
  }
  return a;
}

/** Rounds every lane to a bf16 value. */
inline Vec roundToBf16(Vec a) {
  for (int i = 0; i < Vec::width; i++) a.lanes[i] = fromBf16(toBf16(a.lanes[i]));
  return a;
}

/** The sum of all lanes, always in one order. */
inline float sum(Vec a) { return (a.lanes[0] + a.lanes[2]) + (a.lanes[1] + a.lanes[3]); }

/** Lane i is the sum of vector i, added in the order of sum(). */
inline Vec sumEach(Vec a, Vec b, Vec c, Vec d) { return {Vec::Lanes{sum(a), sum(b), sum(c), sum(d)}}; }

inline float hmax(Vec a) {
  float result = a.lanes[0];
  for (int i = 1; i < Vec::width; i++) result = a.lanes[i] > result ? a.lanes[i] : result;
  return result;
}

inline void transpose(Vec (&rows)[Vec::width]) {
  for (int i = 0; i < Vec::width; i++) {
    for (int j = 0; j < i; j++) {
      const float kept = rows[i].lanes[j];
      rows[i].lanes[j] = rows[j].lanes[i];
      rows[j].lanes[i] = kept;
    }
  }
}

/** As many uint32 as Vec has floats. No vectors, as those of GCC and Clang have no product of twice the width. */
struct Words {
  uint32_t lanes[Vec::width];

  static Words set(uint32_t value) { return {{value, value, value, value}}; }
  static Words load(const uint32_t* from) { return {{from[0], from[1], from[2], from[3]}}; }
};

inline Words operator+(Words a, Words b) {
  for (int i = 0; i < Vec::width; i++) a.lanes[i] += b.lanes[i];
  return a;
}
inline Words operator^(Words a, Words b) {
  for (int i = 0; i < Vec::width; i++) a.lanes[i] ^= b.lanes[i];
  return a;
}

/** The halves of the 64-bit products. */
inline void multiplyWide(Words a, Words b, Words& high, Words& low) {
  for (int i = 0; i < Vec::width; i++) {
    const uint64_t product = uint64_t{a.lanes[i]} * b.lanes[i];
    high.lanes[i] = static_cast<uint32_t>(product >> 32);
    low.lanes[i] = static_cast<uint32_t>(product);
  }
}

/** Transposes each square of four lanes. */
inline void transposeFours(Words (&rows)[4]) {
  for (int i = 0; i < 4; i++) {
    for (int j = 0; j < i; j++) {
      const uint32_t kept = rows[i].lanes[j];
      rows[i].lanes[j] = rows[j].lanes[i];
      rows[j].lanes[i] = kept;
    }
  }
}

/** a where the word is at least the threshold, else 0. */
inline Vec keepFrom(Words threshold, Words words, Vec a) {
  for (int i = 0; i < Vec::width; i++) a.lanes[i] = words.lanes[i] >= threshold.lanes[i] ? a.lanes[i] : 0.0f;
  return a;
}

}  // namespace anneal::ANNEAL_ISA
