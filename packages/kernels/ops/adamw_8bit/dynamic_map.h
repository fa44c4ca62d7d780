#pragma once

#include <cfloat>
#include <cstdint>
#include <limits>

#include "host_device.h"

namespace anneal {

/** Moments that share an absmax. */
static constexpr int kMomentBlock = 256;

/**
 * Cells are the numbers with one exponent and seven bits of fraction, from 2^-23 up to 1; the first has all smaller ones, too, and
 * the last all larger ones. There are so many that at most one border lies in each.
 */
static constexpr int kFirstCell = (127 - 23) << 7;
static constexpr int kCells = (23 << 7) + 1;

/**
 * What 256 codes stand for, and how to find the nearest one: bitsandbytes' dynamic map of 8 bits (Dettmers 2016). Seven powers of
 * ten, the i-th cut into equal parts whose middles are taken: 2^i with signs, 2^(i + 1) without; 0 and 1 besides.
 */
struct DynamicMap {
  /** Ascending. */
  float value[256];
  /** From the code of 0 on: the largest number that rounds to the code or a lower one. */
  float highest[256];
  /** What the least number of a cell rounds to. */
  uint8_t first[kCells];
};

static ANNEAL_HOST_DEVICE constexpr int zeroCode(bool is_signed) { return is_signed ? 127 : 0; }

/** The border `i` of `parts` equal parts of [0.1, 1], as torch.linspace rounds it: from the nearer end. */
static constexpr float partBorder(int i, int parts) {
  const double step = (1.0f - 0.1f) / static_cast<float>(parts);
  return static_cast<float>(2 * i <= parts ? 0.1f + step * i : 1.0 - step * (parts - i));
}

static constexpr float leastOfCell(int cell) {
  if (cell == 0) return 0;
  float power = 1.0f / (1 << 23);
  for (int i = 0; i < cell >> 7; i++) power *= 2;
  return power * (1 + static_cast<float>(cell & 127) / 128);
}

static constexpr DynamicMap makeDynamicMap(bool is_signed) {
  DynamicMap map{};
  const int zero = zeroCode(is_signed);
  constexpr float powers[7] = {1e-6f, 1e-5f, 1e-4f, 1e-3f, 1e-2f, 1e-1f, 1};
  int code = zero + 1;
  for (int power = 0; power < 7; power++) {
    const int parts = 1 << (is_signed ? power : power + 1);
    for (int i = 0; i < parts; i++) map.value[code++] = powers[power] * ((partBorder(i, parts) + partBorder(i + 1, parts)) / 2);
  }
  map.value[255] = 1;
  for (int i = 1; i <= zero; i++) map.value[zero - i] = -map.value[zero + i];
  for (code = zero; code < 255; code++) {
    const float middle = (map.value[code] + map.value[code + 1]) / 2;
    // The middle itself rounds to the even code, where bitsandbytes' search ends: an odd one reaches to the float before it.
    map.highest[code] = code % 2 == 0 ? middle : static_cast<float>(middle * (1 - 1.0 / (1 << 24)));
  }
  map.highest[255] = std::numeric_limits<float>::infinity();
  code = zero;
  for (int cell = 0; cell < kCells; cell++) {
    while (leastOfCell(cell) > map.highest[code]) code++;
    map.first[cell] = static_cast<uint8_t>(code);
  }
  return map;
}

/** Whether one comparison finds every code, as `codeIn` has it. */
static constexpr bool hasOneBorderACell(const DynamicMap& map) {
  for (int cell = 0; cell + 1 < kCells; cell++)
    if (map.first[cell + 1] > map.first[cell] + 1) return false;
  return true;
}

/** The cell of a number >= 0, by its bits. */
static inline ANNEAL_HOST_DEVICE int cellOf(uint32_t bits) {
  const int cell = static_cast<int>(bits >> 16) - kFirstCell;
  return cell < 0 ? 0 : cell < kCells ? cell : kCells - 1;
}

/** The code whose value is nearest to x >= 0, which lies in the cell. */
static inline ANNEAL_HOST_DEVICE int codeIn(const DynamicMap& map, int cell, float x) {
  const int code = map.first[cell];
  return code + (x > map.highest[code]);
}

/** The same for x of either sign, from the code of its size; what is below 0 stays below. */
static inline ANNEAL_HOST_DEVICE int withSign(int code, bool is_negative) {
  const int zero = zeroCode(true), least = code > zero ? code : zero + 1;
  return is_negative ? 2 * zero - (least < 2 * zero ? least : 2 * zero) : code;
}

/** What moments are multiplied by before they are encoded. A block of denormals counts as zero: its inverse would be infinite. */
static inline ANNEAL_HOST_DEVICE float momentInverse(float absmax) {
  return absmax >= FLT_MIN ? 1 / absmax : 0;
}

}  // namespace anneal
