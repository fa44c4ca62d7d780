#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "../simd.h"

// What tiles.h does, in plain C++, so that the kernel can be tested on a processor without AMX. A build with
// ANNEAL_EMULATED_AMX uses it.

namespace anneal::ANNEAL_ISA {

struct EmulatedTiles {
  bool configured;
  uint32_t cells[8][16][16];
};

inline EmulatedTiles& tilesOfThread() {
  static thread_local EmulatedTiles tiles;
  return tiles;
}

/** The rows of a tile; the processor stops a program that uses one it has not configured. */
inline uint32_t (&tileRowsOf(int tile))[16][16] {
  if (!tilesOfThread().configured) __builtin_trap();
  return tilesOfThread().cells[tile];
}

inline void configureTiles() {
  std::memset(&tilesOfThread(), 0, sizeof(EmulatedTiles));
  tilesOfThread().configured = true;
}
inline void releaseTiles() { tilesOfThread().configured = false; }

template <int tile>
void zeroTile() {
  std::memset(tileRowsOf(tile), 0, sizeof tileRowsOf(tile));
}

template <int tile>
void loadTile(const float* from, int64_t stride) {
  const char* bytes = reinterpret_cast<const char*>(from);
  for (int r = 0; r < 16; r++) std::memcpy(tileRowsOf(tile)[r], bytes + r * stride, 64);
}

template <int tile>
void storeTile(float* to, int64_t stride) {
  char* bytes = reinterpret_cast<char*>(to);
  for (int r = 0; r < 16; r++) std::memcpy(bytes + r * stride, tileRowsOf(tile)[r], 64);
}

/** Denormals are zero, as operands and as results. */
inline float flushed(float value) { return std::fabs(value) < 1.17549435e-38f ? std::copysign(0.0f, value) : value; }

/** TDPBF16PS: even and odd places along K are summed apart from zero on, then together, then added to the tile. */
template <int sum, int a, int b>
void addProducts() {
  const auto& left = tileRowsOf(a);
  const auto& right = tileRowsOf(b);
  for (int r = 0; r < 16; r++) {
    for (int column = 0; column < 16; column++) {
      float halves[2] = {0, 0};
      for (int k = 0; k < 16; k++) {
        for (int half = 0; half < 2; half++) {
          const float x = fromBf16(static_cast<uint16_t>(left[r][k] >> (16 * half)));
          const float y = fromBf16(static_cast<uint16_t>(right[k][column] >> (16 * half)));
          halves[half] = flushed(std::fma(flushed(x), flushed(y), halves[half]));
        }
      }
      uint32_t& cell = tileRowsOf(sum)[r][column];
      cell = floatToBits(flushed(flushed(bitsToFloat(cell)) + flushed(halves[0] + halves[1])));
    }
  }
}

}  // namespace anneal::ANNEAL_ISA
