#pragma once

#include <cstdint>

// The instructions of AMX. The compiler's own macros do not tell it that memory is read, so that it may move stores behind a load.

namespace anneal::ANNEAL_ISA {

/** Layout of the operand of ldtilecfg (Intel SDM, volume 1, 18.3.2). */
struct TileConfiguration {
  uint8_t palette, first_row, reserved[14];
  uint16_t bytes_per_row[16];
  uint8_t rows[16];
};
static_assert(sizeof(TileConfiguration) == 64);

/** All eight tiles of this thread: 16 rows of 64 bytes, zero. */
inline void configureTiles() {
  static const TileConfiguration configuration = {
      1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
  asm volatile("ldtilecfg %0" ::"m"(configuration));
}

/** Gives the tiles back: the kernel saves no tiles of a thread without. */
inline void releaseTiles() { asm volatile("tilerelease" ::: "memory"); }

template <int tile>
void zeroTile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(tile));
}

/** Rows lie `stride` bytes apart. */
template <int tile>
void loadTile(const float* from, int64_t stride) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(stride), "i"(tile) : "memory");
}

template <int tile>
void storeTile(float* to, int64_t stride) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(stride), "i"(tile) : "memory");
}

/** Adds the products of the rows of tile `a` and the columns of tile `b` to `sum`. */
template <int sum, int a, int b>
void addProducts() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(sum), "i"(a), "i"(b));
}

}  // namespace anneal::ANNEAL_ISA
