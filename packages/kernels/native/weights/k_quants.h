#pragma once

#include "shifted_groups.h"
#include "symmetric_groups.h"

// ggml's K-quants, byte for byte as ggml makes them.

namespace anneal::ANNEAL_ISA {

inline int integer(float x) { return static_cast<int>(x); }
inline int integer(int x) { return x; }

/**
 * The 8 six-bit scales and 8 six-bit minima of Q4_K and Q5_K in 12 bytes: the first four of each in the low six bits of bytes 0-3
 * and 4-7; of the last four the low nibbles in bytes 8-11 (scale low, minimum high) and the upper two bits in bytes 0-3 and 4-7.
 */
template <class Fitted>
inline void storeSixBitScales(const Fitted& fitted, uint8_t* target) {
  for (int g = 0; g < 4; g++) {
    const int scale = integer(fitted.scales[g + 4]), minimum = integer(fitted.minima[g + 4]);
    target[g] = static_cast<uint8_t>(integer(fitted.scales[g]) | (scale >> 4) << 6);
    target[g + 4] = static_cast<uint8_t>(integer(fitted.minima[g]) | (minimum >> 4) << 6);
    target[g + 8] = static_cast<uint8_t>((scale & 15) | (minimum & 15) << 4);
  }
}

/** 16 bytes of group scale (low nibble) and minimum (high) · 64 bytes of 2-bit q · d · dmin. */
template <class Fitted>
inline void storeQ2_K(const Fitted& fitted, uint8_t* block) {
  std::memset(block, 0, 84);
  for (int g = 0; g < 16; g++) {
    block[g] = static_cast<uint8_t>(integer(fitted.scales[g]) | integer(fitted.minima[g]) << 4);
    uint8_t* quants = block + 16 + (g >> 3) * 32 + (g & 1) * 16;
    for (int k = 0; k < 16; k++) quants[k] |= static_cast<uint8_t>(integer(fitted.q[k][g]) << (g & 6));
  }
  store16(block + 80, fitted.d);
  store16(block + 82, fitted.dmin);
}

/** 32 bytes of third bits · 64 bytes of low 2 bits as in Q2_K · 16 six-bit scales in 12 bytes · d. */
template <class Fitted>
inline void storeQ3_K(const Fitted& fitted, uint8_t* block) {
  std::memset(block, 0, 110);
  for (int g = 0; g < 16; g++) {
    const int scale = integer(fitted.scales[g]) + 32;
    block[96 + (g & 7)] |= static_cast<uint8_t>((scale & 15) << (g < 8 ? 0 : 4));
    block[104 + (g & 3)] |= static_cast<uint8_t>((scale >> 4) << 2 * (g >> 2));
    uint8_t* quants = block + 32 + (g >> 3) * 32 + (g & 1) * 16;
    uint8_t* third_bits = block + (g & 1) * 16;
    for (int k = 0; k < 16; k++) {
      const int q = integer(fitted.q[k][g]) + 4;
      quants[k] |= static_cast<uint8_t>((q & 3) << (g & 6));
      third_bits[k] |= static_cast<uint8_t>((q >> 2) << (g >> 1));
    }
  }
  store16(block + 108, fitted.d);
}

/** The nibbles of two groups side by side, low first. */
template <class Fitted>
inline void storeNibbles(const Fitted& fitted, uint8_t* target) {
  for (int g = 0; g < 8; g += 2)
    for (int k = 0; k < 32; k++)
      target[g * 16 + k] = static_cast<uint8_t>((integer(fitted.q[k][g]) & 15) | (integer(fitted.q[k][g + 1]) & 15) << 4);
}

/** d · dmin · 12 bytes of scales and minima · 128 bytes of nibbles. */
template <class Fitted>
inline void storeQ4_K(const Fitted& fitted, uint8_t* block) {
  store16(block, fitted.d);
  store16(block + 2, fitted.dmin);
  storeSixBitScales(fitted, block + 4);
  storeNibbles(fitted, block + 16);
}

/** d · dmin · 12 bytes of scales and minima · 32 bytes of fifth bits · 128 bytes of nibbles. */
template <class Fitted>
inline void storeQ5_K(const Fitted& fitted, uint8_t* block) {
  store16(block, fitted.d);
  store16(block + 2, fitted.dmin);
  storeSixBitScales(fitted, block + 4);
  for (int k = 0; k < 32; k++) {
    int fifth_bits = 0;
    for (int g = 0; g < 8; g++) fifth_bits |= (integer(fitted.q[k][g]) >> 4) << g;
    block[16 + k] = static_cast<uint8_t>(fifth_bits);
  }
  storeNibbles(fitted, block + 48);
}

/** 128 bytes of low nibbles · 64 bytes of high 2 bits · 16 signed scales · d. */
template <class Fitted>
inline void storeQ6_K(const Fitted& fitted, uint8_t* block) {
  std::memset(block, 0, 192);
  for (int g = 0; g < 16; g++) {
    uint8_t* low = block + (g >> 3) * 64 + (g & 3) * 16;
    uint8_t* high = block + 128 + (g >> 3) * 32 + (g & 1) * 16;
    for (int k = 0; k < 16; k++) {
      const int q = integer(fitted.q[k][g]) + 32;
      low[k] |= static_cast<uint8_t>((q & 15) << (g & 4));
      high[k] |= static_cast<uint8_t>((q >> 4) << (g & 6));
    }
    block[192 + g] = static_cast<uint8_t>(integer(fitted.scales[g]));
  }
  store16(block + 208, fitted.d);
}

/** @param importance of each weight's column, or null */
inline void encodeQ3_K(const float* x, const float* importance, uint8_t* block) {
  if (importance) return storeQ3_K(SymmetricGroups<4, 32, true>(x, importance), block);
  storeQ3_K(SymmetricGroups<4, 32, false>(x, nullptr), block);
}

/**
 * Vectors of 16 groups that types with minima are fitted in at a time: a sum down a lane waits for itself at every weight, and that
 * of another vector fills the gaps, where there are registers for both. With AVX-512 on Zen 5 two make Q2_K 25 %, Q4_K and Q5_K 15 %
 * faster; with AVX2 they change nothing.
 */
constexpr int kVectorsTogether = kNativeLanes == 16 ? 2 : 1;

/** Up to kBlocks blocks; half as many vectors where those have room for them. */
template <int kGroups, int kLevels, int kScales, int kBlocks, class Store>
void encodeShifted(const float* x, const float* importance, int count, uint8_t* blocks, int bytes, const Store& store) {
  if constexpr (kGroups * kBlocks > 16)
    if (2 * count <= kBlocks) return encodeShifted<kGroups, kLevels, kScales, kBlocks / 2>(x, importance, count, blocks, bytes, store);
  const auto storeAll = [&](const auto& fitted) {
    for (int block = 0; block < count; block++) store(fitted.block(block), blocks + block * bytes);
  };
  if (importance) return storeAll(ShiftedGroups<kGroups, kLevels, kScales, true, kBlocks>(x, importance, count));
  storeAll(ShiftedGroups<kGroups, kLevels, kScales, false, kBlocks>(x, nullptr, count));
}

inline void encodeQ2_K(const float* x, const float* importance, int count, uint8_t* blocks) {
  encodeShifted<16, 3, 15, kVectorsTogether>(x, importance, count, blocks, 84, storeQ2_K<ShiftedBlock>);
}

inline void encodeQ4_K(const float* x, const float* importance, int count, uint8_t* blocks) {
  encodeShifted<8, 15, 63, 2 * kVectorsTogether>(x, importance, count, blocks, 144, storeQ4_K<ShiftedBlock>);
}

inline void encodeQ5_K(const float* x, const float* importance, int count, uint8_t* blocks) {
  encodeShifted<8, 31, 63, 2 * kVectorsTogether>(x, importance, count, blocks, 176, storeQ5_K<ShiftedBlock>);
}

inline void encodeQ6_K(const float* x, const float* importance, uint8_t* block) {
  if (importance) return storeQ6_K(SymmetricGroups<32, 128, true>(x, importance), block);
  storeQ6_K(SymmetricGroups<32, 128, false>(x, nullptr), block);
}

}  // namespace anneal::ANNEAL_ISA
