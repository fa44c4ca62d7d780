#pragma once

#include "hopper.cuh"
#include "hopper_launch.h"
#include "tiles.h"

// What the warpgroups of hopper_forward.cu share: places and barriers in shared memory, and tiles as work that one hands to the others.

namespace anneal::cuda::forward_pass {

struct Arguments {
  CUtensorMap q, k, v;
  Forward p;
};

template <int kSize_>
struct Config {
  static constexpr int kSize = kSize_, kRows = 128, kKeys = 128, kStages = kSize == 64 ? 4 : 2, kThreads = 384, kConsumerWarps = 8;
  static constexpr int kTileBytes = 128 * kSize * 2;
  static constexpr int kBarriers = (1 + 2 * kStages) * kTileBytes;
  static constexpr int kSharedBytes = kBarriers + 320 + 1024;
};

template <typename C>
struct Shared {
  uint32_t base;
  __device__ uint32_t q() const { return base; }
  __device__ uint32_t k(int stage) const { return base + (1 + stage) * C::kTileBytes; }
  __device__ uint32_t v(int stage) const { return base + (1 + C::kStages + stage) * C::kTileBytes; }
  __device__ uint32_t qFull() const { return base + C::kBarriers; }
  __device__ uint32_t qEmpty() const { return qFull() + 8; }
  __device__ uint32_t workFull(int stage) const { return qFull() + 16 + stage * 16; }
  __device__ uint32_t workEmpty(int stage) const { return qFull() + 24 + stage * 16; }
  __device__ uint32_t kFull(int stage) const { return qFull() + 48 + stage * 32; }
  __device__ uint32_t vFull(int stage) const { return kFull(stage) + 8; }
  __device__ uint32_t kEmpty(int stage) const { return kFull(stage) + 16; }
  __device__ uint32_t vEmpty(int stage) const { return kFull(stage) + 24; }
  __device__ uint32_t work(int stage) const { return qFull() + 256 + stage * 32; }
};

/** A tile of one head, which the loading warp took from the common counter; head -1 says that there is none left. */
struct Work {
  int head;
  Tile tile;

  __device__ void write(uint32_t to) const {
    asm volatile("st.shared.v4.b32 [%0], {%1, %2, %3, %4};" ::"r"(to), "r"(head), "r"(tile.begin), "r"(tile.end), "r"(tile.document_end) : "memory");
    asm volatile("st.shared.v2.b32 [%0], {%1, %2};" ::"r"(to + 16), "r"(tile.key_begin), "r"(tile.shift) : "memory");
  }
  __device__ void read(uint32_t from) {
    asm volatile("ld.shared.v4.b32 {%0, %1, %2, %3}, [%4];"
                 : "=r"(head), "=r"(tile.begin), "=r"(tile.end), "=r"(tile.document_end)
                 : "r"(from)
                 : "memory");
    asm volatile("ld.shared.v2.b32 {%0, %1}, [%2];" : "=r"(tile.key_begin), "=r"(tile.shift) : "r"(from + 16) : "memory");
  }
};

/** Blocks of keys that the tile sees, the last first. */
template <typename C>
struct Blocks {
  int begin, count;
  __device__ Blocks(const Tile& tile, int window) {
    const int first = firstKey(tile, tile.begin, window);
    begin = first - (first - tile.key_begin) % C::kKeys;
    count = (tile.end + tile.shift - begin + C::kKeys - 1) / C::kKeys;
  }
  __device__ int key(int i) const { return begin + (count - 1 - i) * C::kKeys; }
};

}  // namespace anneal::cuda::forward_pass
