#pragma once

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
  void store(float* target) const { __builtin_memcpy(target, parts, sizeof parts); }

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

  /** Lane by lane: mask ? a : b. */
  friend Lanes select(const Mask& mask, const Lanes& a, Lanes b) {
    for (int p = 0; p < kParts; p++) b.parts[p] = mask.parts[p] ? a.parts[p] : b.parts[p];
    return b;
  }
};

}  // namespace anneal::ANNEAL_ISA
