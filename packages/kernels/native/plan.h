#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernel.h"

namespace anneal {

/** Runtime extents, numbered as in src/tensor.ts: T tokens, S cuSeqlens entries, N rows of logits, C chosen tokens, R supervised rows. */
constexpr int kRuntimeDims = 5;
constexpr int kTokens = 0;
constexpr int kSupervisedRows = 4;  // the last: all before it say how much a batch holds

struct Place {
  std::string name;
  uint64_t offset;
  uint64_t bytes;  // at the plan's bounds
  DType type;
};

/** Addresses of a plan: the device's memory from 0 on, pinned memory of the host from here on. As hostBase in src/addresses.ts. */
constexpr uint64_t kHostBase = uint64_t{1} << 46;

/** A tensor of a launch; an extent below zero is runtime extent -1 - extent, or behind these a tile of the tokens. */
struct PlannedTensor {
  bool absent;
  uint64_t offset;
  DType type;
  std::vector<int32_t> shape;
};

struct PlannedLaunch {
  std::string op;
  std::vector<double> attributes;
  std::vector<PlannedTensor> inputs, outputs;
  uint64_t workspace_offset, workspace_bytes;
  /** In the second stream of a device that has one. */
  bool beside;
  /** Number of the launch of the other stream that it comes after; -1: of none but those its stream waited for before. */
  int32_t after;
  /** One of the other stream comes after it. */
  bool is_awaited;
};

struct PlannedProgram {
  std::string name;
  std::vector<Place> inputs, results;
  std::vector<PlannedLaunch> launches;
};

struct Plan {
  uint64_t total_bytes, host_bytes, scratch_offset, scratch_bytes_per_thread;
  int32_t threads;
  int32_t bounds[kRuntimeDims];
  int32_t tile_rows;
  std::vector<Place> variables;
  std::vector<PlannedProgram> programs;

  static bool isTile(int32_t extent) { return extent < -kRuntimeDims; }
  /** What an extent of a planned tensor is where the runtime extents are `dims`. */
  int64_t sizeOf(int32_t extent, const int32_t* dims) const {
    if (extent >= 0) return extent;
    if (!isTile(extent)) return dims[-1 - extent];
    const int64_t left = dims[kTokens] - (int64_t{-1} - kRuntimeDims - extent) * tile_rows;
    return left < 0 ? 0 : left < tile_rows ? left : tile_rows;
  }

  /** Whether all of these bytes lie in the device's memory, or all in the host's. */
  bool contains(uint64_t offset, uint64_t bytes) const {
    const uint64_t start = offset < kHostBase ? offset : offset - kHostBase;
    const uint64_t end = offset < kHostBase ? total_bytes : host_bytes;
    return start <= end && bytes <= end - start;
  }
};

/** Reads what src/encode.ts writes. Throws std::runtime_error on anything that is not such a plan or points outside the arena. */
Plan readPlan(const uint8_t* bytes, size_t size);

}  // namespace anneal
