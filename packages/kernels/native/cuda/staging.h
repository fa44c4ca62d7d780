#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "check.h"

namespace anneal::cuda {

/**
 * Pinned memory through which values go to the device: copies from it run beside the host's work. Handed out piece by piece until
 * `reset`, which the owner calls when the stream has been waited for.
 */
class Staging {
 public:
  ~Staging() {
    for (const Block& block : blocks_) cudaFreeHost(block.memory);
  }

  /** Room for `bytes`. Waits for the stream where all of it is in use and there is more than enough already. */
  char* take(uint64_t bytes, cudaStream_t stream) {
    const uint64_t size = (bytes + 63) / 64 * 64;
    if (held_ > kMostBytes && !fits(size)) {
      check(cudaStreamSynchronize(stream), "waiting for the device");
      reset();
    }
    for (Block& block : blocks_) {
      if (block.size - block.used < size) continue;
      block.used += size;
      return block.memory + block.used - size;
    }
    Block block{nullptr, std::max(size, kBlockBytes), size};
    check(cudaMallocHost(reinterpret_cast<void**>(&block.memory), block.size), "allocating pinned memory");
    held_ += block.size;
    blocks_.push_back(block);
    return block.memory;
  }

  void reset() {
    for (Block& block : blocks_) block.used = 0;
  }

 private:
  static constexpr uint64_t kBlockBytes = uint64_t{4} << 20;
  static constexpr uint64_t kMostBytes = uint64_t{64} << 20;

  struct Block {
    char* memory;
    uint64_t size, used;
  };

  bool fits(uint64_t size) const {
    return std::any_of(blocks_.begin(), blocks_.end(), [&](const Block& block) { return block.size - block.used >= size; });
  }

  std::vector<Block> blocks_;
  uint64_t held_ = 0;
};

}  // namespace anneal::cuda
