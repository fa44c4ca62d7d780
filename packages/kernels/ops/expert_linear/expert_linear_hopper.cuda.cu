#include <cstdlib>
#include <cstring>

#include "cuda/attention/attention.h"
#include "cuda/attention/hopper.cuh"
#include "cuda/attention/hopper_launch.h"
#include "cuda/attention/wgmma.cuh"
#include "expert_tile.cuh"

// A block computes 128 rows of one expert by 128 columns: one warp loads by TMA, two warpgroups own 64 rows each. Two blocks share a
// multiprocessor, so that one multiplies while the other begins or stores.

namespace anneal::cuda {
namespace {

constexpr int kRows = 128, kColumns = 128, kDepth = 64, kStages = 3, kThreads = 288;
constexpr int kTileBytes = 128 * kDepth * 2;
constexpr int kBarriers = kStages * 2 * kTileBytes;
constexpr int kSharedBytes = kBarriers + kStages * 16 + 1024;

struct Arguments {
  CUtensorMap a, b;
  ExpertProduct p;
  /** Of a row of `a`, and of y. */
  int depth, width;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

struct Shared {
  uint32_t base;
  __device__ uint32_t a(int stage) const { return base + stage * 2 * kTileBytes; }
  __device__ uint32_t b(int stage) const { return a(stage) + kTileBytes; }
  __device__ uint32_t full(int stage) const { return base + kBarriers + stage * 16; }
  __device__ uint32_t empty(int stage) const { return full(stage) + 8; }
};

/** One thread. A row of the tile that belongs to the next expert is loaded as well, and not stored. */
template <bool kPlain>
__device__ void produce(const Arguments& arguments, const Shared& shared, const ExpertTile& tile, int column) {
  Ring<kStages> ring;
  const int first = tile.expert * arguments.p.N;
  for (int depth = 0; depth < arguments.depth; depth += kDepth, ring.advance()) {
    const int stage = ring.stage;
    wait(shared.empty(stage), ring.parity ^ 1);
    arriveExpecting(shared.full(stage), 2 * kTileBytes);
    loadMatrixTile(shared.a(stage), arguments.a, tile.begin, depth, shared.full(stage));
    if constexpr (kPlain) {
      // Rows of the weight past this expert's meet zeros: columns of `a` that lie outside.
      loadMatrixTile(shared.b(stage), arguments.b, first + depth, column, shared.full(stage));
      loadMatrixTile(shared.b(stage) + kTileBytes / 2, arguments.b, first + depth, column + 64, shared.full(stage));
    } else {
      loadMatrixTile(shared.b(stage), arguments.b, first + column, depth, shared.full(stage));
    }
  }
}

__device__ void storeTile(const float (&sum)[kColumns / 8][4], const Arguments& arguments, int row, int end, int column) {
  const int lane = threadIdx.x % 32, width = arguments.width;
  const bf16* c = dataOf<bf16>(arguments.p.c);
  bf16* y = dataOf<bf16>(arguments.p.y);
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int r = row + half * 8 + lane / 4;
    if (r >= end) continue;
#pragma unroll
    for (int n = 0; n < kColumns / 8; n++) {
      const int at = column + n * 8 + lane % 4 * 2;
      if (at >= width) continue;
      const int64_t place = int64_t{r} * width + at;
      float values[2] = {sum[n][2 * half] * arguments.p.alpha, sum[n][2 * half + 1] * arguments.p.alpha};
      if (c) {
        const float2 added = __bfloat1622float2(*reinterpret_cast<const __nv_bfloat162*>(c + place));
        values[0] += added.x, values[1] += added.y;
      }
      *reinterpret_cast<uint32_t*>(y + place) = packBf16(values[0], values[1]);
    }
  }
}

template <bool kPlain>
__device__ void consume(const Arguments& arguments, const Shared& shared, const ExpertTile& tile, int column) {
  const int group = threadIdx.x / 128, warp = threadIdx.x / 32 % 4;
  const int row = tile.begin + group * 64;
  const bool has_rows = row < tile.end;
  Ring<kStages> ring;
  float sum[kColumns / 8][4] = {};
  const auto release = [&](int stage) {
    if (threadIdx.x % 128 == 0) arrive(shared.empty(stage));
  };
  if (!has_rows) {
    for (int depth = 0; depth < arguments.depth; depth += kDepth, ring.advance()) {
      wait(shared.full(ring.stage), ring.parity);
      release(ring.stage);
    }
    return;
  }
  int before = -1;
  for (int depth = 0; depth < arguments.depth; depth += kDepth, ring.advance()) {
    const int stage = ring.stage;
    wait(shared.full(stage), ring.parity);
    const uint32_t a = shared.a(stage) + group * 64 * 128, b = shared.b(stage);
    pin(sum);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kDepth / 16; step++) {
      const uint64_t columns = kPlain ? columnsDescriptor(b + step * 2048, kTileBytes / 2) : rowsDescriptor(b + columnStep<kColumns>(step));
      multiplyTiles<kPlain>(sum, rowsDescriptor(a + columnStep<kRows>(step)), columns, true);
    }
    commitProducts();
    waitForProducts<1>();
    if (before >= 0) release(before);
    before = stage;
  }
  waitForProducts<0>();
  pin(sum);
  storeTile(sum, arguments, row + warp * 16, tile.end, column);
}

#endif

template <bool kPlain>
__global__ void __launch_bounds__(kThreads, 2) productKernel(const __grid_constant__ Arguments arguments) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ char memory[];
  const Shared shared{(sharedAddress(memory) + 1023) & ~1023u};
  const ExpertProduct& p = arguments.p;
  const ExpertTile tile = expertTile(blockIdx.y, p.offsets, p.experts, p.rows, kRows, p.fault);
  if (tile.begin >= tile.end) return;
  if (threadIdx.x == 0) {
    for (int stage = 0; stage < kStages; stage++) initBarrier(shared.full(stage), 1), initBarrier(shared.empty(stage), 2);
    publishBarriers();
  }
  __syncthreads();
  const int column = blockIdx.x * kColumns;
  if (threadIdx.x >= 256) {
    if (threadIdx.x == 256) produce<kPlain>(arguments, shared, tile, column);
  } else {
    consume<kPlain>(arguments, shared, tile, column);
  }
#endif
}

/** ANNEAL_CUDA_EXPERTS=mma makes a GPU use other kernels than its best, for tests. */
bool isChosen() {
  static const bool is = [] {
    const char* name = std::getenv("ANNEAL_CUDA_EXPERTS");
    return isHopper() && !(name && std::strcmp(name, "mma") == 0);
  }();
  return is;
}

}  // namespace

bool hopperExpertProduct(const ExpertProduct& p, bool plain, cudaStream_t stream, const char*& problem) {
  const bool isHalf = p.a.type == DType::bf16 && p.b.type == DType::bf16;
  if (!isHalf || p.N % 8 != 0 || p.K % 8 != 0 || !isChosen()) return false;
  Arguments arguments{{}, {}, p, plain ? p.N : p.K, plain ? p.K : p.N};
  if (!makeMatrixMap(arguments.a, p.a.data, p.rows, arguments.depth, kRows) ||
      !makeMatrixMap(arguments.b, p.b.data, int64_t{p.experts} * p.N, p.K, plain ? kDepth : kColumns)) {
    problem = kNoTensorMap;
    return true;
  }
  const dim3 grid(static_cast<unsigned>(ceilDivide(arguments.width, kColumns)), static_cast<unsigned>(expertSlots(p.rows, p.experts, kRows)));
  problem = launchKernel(plain ? productKernel<true> : productKernel<false>, grid, kThreads, kSharedBytes, stream, arguments);
  return true;
}

}  // namespace anneal::cuda
