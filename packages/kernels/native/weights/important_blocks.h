#pragma once

#include "shifted_groups.h"
#include "simple_blocks.h"
#include "symmetric_groups.h"

// Q4_0, Q5_0 and Q5_1 with an importance matrix, as ggml makes them, byte for byte: up to 16 blocks of a row at a time.

namespace anneal::ANNEAL_ISA {

/** Up to 16 blocks of 32 weights, one a lane, with what an error of each counts; zeros from block `count` on. */
struct ImportantBlocks {
  using Floats = Lanes<16>;
  Floats weights[32], counts[32];

  /** @param mean_square of all weights of the row */
  ImportantBlocks(const float* x, const float* importance, float mean_square, int count) {
    for (int k = 0; k < 32; k++) {
      weights[k] = counts[k] = Floats{};
      for (int g = 0; g < count; g++) {
        weights[k].set(g, x[32 * g + k]);
        counts[k].set(g, importance[32 * g + k]);
      }
      counts[k] = counts[k] * root(mean_square + weights[k] * weights[k], 16);
    }
  }

  /** Half scales and integers from 0 on of a type without minima: store(block, d, q). */
  template <int kLevels, class Store>
  void symmetric(int count, const Store& store) const {
    Floats q[32];
    for (Floats& each : q) each = Floats(-kLevels);
    const Floats scale = fitSymmetric<kLevels, 32>(weights, counts, q);
    for (int g = 0; g < count; g++) store(g, halfOf(scale[g]), integersOf(q, g, kLevels).q);
  }

  struct Integers {
    int q[32];
  };
  static Integers integersOf(const Floats* q, int block, int shift) {
    Integers found;
    for (int k = 0; k < 32; k++) found.q[k] = static_cast<int>(q[k][block]) + shift;
    return found;
  }
};

inline void encodeImportantQ4_0(const float* x, const float* importance, float mean_square, int count, uint8_t* blocks) {
  ImportantBlocks(x, importance, mean_square, count).symmetric<8>(count, [&](int block, uint16_t d, const int* q) {
    uint8_t* target = blocks + 18 * block;
    store16(target, d);
    for (int k = 0; k < 16; k++) target[2 + k] = static_cast<uint8_t>(q[k] | q[k + 16] << 4);
  });
}

inline void encodeImportantQ5_0(const float* x, const float* importance, float mean_square, int count, uint8_t* blocks) {
  ImportantBlocks(x, importance, mean_square, count).symmetric<16>(count, [&](int block, uint16_t d, const int* q) {
    store16(blocks + 22 * block, d);
    storeFiveBits(q, blocks + 22 * block + 2);
  });
}

inline void encodeImportantQ5_1(const float* x, const float* importance, float mean_square, int count, uint8_t* blocks) {
  const ImportantBlocks some(x, importance, mean_square, count);
  const ShiftedFit<ImportantBlocks::Floats, 32, 31, false> fit(some.weights, some.counts, kRoundingsByImportance);
  for (int g = 0; g < count; g++, blocks += 24) {
    store16(blocks, halfOf(fit.scale[g]));
    store16(blocks + 2, halfOf(-fit.minimum[g]));
    storeFiveBits(ImportantBlocks::integersOf(fit.q, g, 0).q, blocks + 4);
  }
}

}  // namespace anneal::ANNEAL_ISA
