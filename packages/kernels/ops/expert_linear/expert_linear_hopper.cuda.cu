#include <cstdlib>
#include <cstring>

#include "cuda/attention/attention.h"
#include "cuda/attention/hopper.cuh"
#include "cuda/attention/hopper_launch.h"
#include "cuda/attention/wgmma.cuh"
#include "cuda/cluster.cuh"
#include "nf4_rows.cuh"
#include "token_products.cuh"
#include "wide_tiles.cuh"

// A tile is up to 256 rows of one expert by 128 columns, computed across: rows of the weight are those of the tensor cores' tiles, tokens their
// columns, whose number follows the tile's. Thus a weight is loaded once for 256 tokens, and what is multiplied is at most 63 tokens more than there
// are. Two warpgroups own 64 columns each; further warps load, and run ahead into the next tile. Each block takes every gridDim.x-th tile. Two blocks
// are a cluster, whose tiles have the same tokens: each loads half of these for both.

namespace anneal::cuda {
namespace {

constexpr int kBlocks = 2, kColumns = 128, kDepth = 64, kStages = 4, kThreads = 384;
constexpr int kWeightBytes = kColumns * kDepth * 2, kTokenBox = kWideStep;
constexpr int kStageBytes = kWeightBytes + kWideRows * kDepth * 2;
/** Tokens that a warpgroup turns at a time, of 64 columns. */
constexpr int kStoredTokens = 32, kStoreBytes = kStoredTokens * 128;
constexpr int kStores = kStages * kStageBytes, kBarriers = kStores + 4 * kStoreBytes, kCodes = kBarriers + kStages * 16;
/** Codes of a stage in NF4, read ahead by asynchronous copies. */
constexpr int kCodeSlots = 3, kCodeBytes = kWeightBytes / 4;
template <bool kNf4>
constexpr int kTable = kCodes + (kNf4 ? kCodeSlots * kCodeBytes : 0);

struct Arguments {
  CUtensorMap tokens, weights;
  ExpertProduct p;
  Nf4Blocks nf4;
  /** Of the sum, and of a row of y. */
  int depth, width;
};

#ifdef __CUDA_ARCH_FEAT_SM90_ALL

constexpr int kConsumers = 256, kGroupBytes = kWeightBytes / 2, kBoxBytes = kTokenBox * kDepth * 2;

struct Shared {
  char* memory;
  uint32_t base;
  __device__ uint32_t weights(int stage) const { return base + stage * kStageBytes; }
  __device__ uint32_t tokens(int stage) const { return weights(stage) + kWeightBytes; }
  __device__ uint32_t store(int group, int buffer) const { return base + kStores + (group * 2 + buffer) * kStoreBytes; }
  __device__ uint32_t full(int stage) const { return base + kBarriers + stage * 16; }
  __device__ uint32_t empty(int stage) const { return full(stage) + 8; }
};

/** One thread, once both blocks have room: the tokens of a stage, and `more` bytes that others load into it. Rows that belong to the next expert come as well. */
__device__ void loadTokens(const Arguments& a, const Shared& shared, const WideTile& tile, int stage, int depth, int more) {
  const int boxes = (tile.rows + kTokenBox - 1) / kTokenBox;
  arriveExpecting(shared.full(stage), boxes * kBoxBytes + more);
  for (int i = static_cast<int>(blockIdx.x) % kBlocks; i < boxes; i += kBlocks)
    loadMatrixTileForAll(shared.tokens(stage) + i * kBoxBytes, a.tokens, tile.begin + i * kTokenBox, depth, shared.full(stage), kBlocks);
}

/** One thread. */
template <bool kPlain>
__device__ void loadStages(const Arguments& a, const Shared& shared, const WideTile& tile, Ring<kStages>& ring) {
  const int first = tile.expert * a.p.N;
  for (int depth = 0; depth < a.depth; depth += kDepth, ring.advance()) {
    const int stage = ring.stage;
    wait(shared.empty(stage), ring.parity ^ 1);
    loadTokens(a, shared, tile, stage, depth, kWeightBytes);
    if constexpr (kPlain) {
      // Rows of the weight past this expert's meet zeros: columns of the tokens that lie outside.
      loadMatrixTile(shared.weights(stage), a.weights, first + depth, tile.column, shared.full(stage));
      loadMatrixTile(shared.weights(stage) + kGroupBytes, a.weights, first + depth, tile.column + 64, shared.full(stage));
    } else {
      loadMatrixTile(shared.weights(stage), a.weights, first + tile.column, depth, shared.full(stage));
    }
  }
}

/** A warpgroup: a thread decodes one block of 64 weights of each stage, a line of the tile as TMA would have written it. */
template <bool kPlain>
__device__ void decodeStages(const Arguments& a, const Shared& shared, const WideTile& tile, Ring<kStages>& ring) {
  const int line = threadIdx.x % 128, steps = (a.depth + kDepth - 1) / kDepth;
  const int64_t first = int64_t{tile.expert} * a.p.N;
  // Of the weight, without the expert's own beginning. What lies outside has an absmax of 0, whatever its codes.
  const int row = kPlain ? line % 64 : tile.column + line, column = kPlain ? tile.column + line / 64 * 64 : 0;
  const auto isInside = [&](int step) { return step < steps && column < a.p.K && (kPlain ? row + step * kDepth : row) < a.p.N; };
  const auto blockOf = [&](int step) {
    const int64_t start = (first + (kPlain ? row + step * kDepth : row)) * a.p.K + (kPlain ? column : step * kDepth);
    return isInside(step) ? start / kNf4Block : 0;
  };
  char* const slots = shared.memory + kCodes + line * 16;
  const auto readAhead = [&](int step) {
    const uint8_t* codes = a.nf4.codes + blockOf(step) * (kNf4Block / 2);
    char* const slot = slots + step % kCodeSlots * kCodeBytes;
    if (isInside(step)) copyAsync16(sharedAddress(slot), codes, true), copyAsync16(sharedAddress(slot + kCodeBytes / 2), codes + 16, true);
    commitCopies();
  };
  float absmax = a.nf4.absmax(blockOf(0), a.nf4.absmax.map);
  readAhead(0), readAhead(1);
  for (int step = 0; step < steps; step++, ring.advance()) {
    const int stage = ring.stage;
    readAhead(step + 2);
    const Nf4Table table(isInside(step) ? absmax : 0);
    absmax = a.nf4.absmax(blockOf(step + 1), a.nf4.absmax.map);
    wait(shared.empty(stage), ring.parity ^ 1);
    if (line == 0) loadTokens(a, shared, tile, stage, step * kDepth, 0);
    waitForCopies<2>();
    char* const to = shared.memory + stage * kStageBytes + line * 128;
#pragma unroll
    for (int half = 0; half < 2; half++) {
      const uint4 codes = *reinterpret_cast<const uint4*>(slots + step % kCodeSlots * kCodeBytes + half * (kCodeBytes / 2));
      const uint32_t words[4] = {codes.x, codes.y, codes.z, codes.w};
#pragma unroll
      for (int i = 0; i < 4; i++) *reinterpret_cast<uint4*>(to + ((half * 4 + i) ^ (line & 7)) * 16) = table.decode(words[i]);
    }
    publishToProducts();
    arrive(shared.full(stage));
  }
}

/** A warpgroup's 64 columns of y. Tokens lie along the sums' registers: they are turned in shared memory, where `c` is laid as well, and leave as lines. */
template <int kTokens>
__device__ void storeTile(const float (&sum)[kTokens / 8][4], const Arguments& a, const Shared& shared, const WideTile& tile) {
  const int group = threadIdx.x / 128, warp = threadIdx.x / 32 % 4, lane = threadIdx.x % 32;
  const int token = threadIdx.x % 128 / 8, chunk = threadIdx.x % 8, column = tile.column + group * 64 + chunk * 8;
  const uint32_t lines = token * 128 + (chunk ^ (token & 7)) * 16;
  const uint32_t matrices = (lane / 16 * 8 + lane % 8) * 128 + ((warp * 2 + lane / 8 % 2) ^ (lane & 7)) * 16;
  const float alpha = a.p.alpha;
  const bf16* c = dataOf<bf16>(a.p.c);
  bf16* y = dataOf<bf16>(a.p.y);
  syncNamed(1 + group, 128);
#pragma unroll
  for (int first = 0; first < kTokens; first += kStoredTokens) {
    if (first >= tile.rows) break;
    const uint32_t buffer = shared.store(group, first / kStoredTokens % 2);
    const auto isInside = [&](int t) { return first + t + token < tile.rows && column < a.width; };
    const auto place = [&](int t) { return int64_t{tile.begin + first + t + token} * a.width + column; };
    if (c) {
#pragma unroll
      for (int t = 0; t < kStoredTokens; t += 16)
        if (isInside(t)) storeShared16(buffer + t * 128 + lines, *reinterpret_cast<const uint4*>(c + place(t)));
      syncNamed(1 + group, 128);
    }
#pragma unroll
    for (int t = 0; t < kStoredTokens; t += 16) {
      uint32_t packed[4], added[4] = {};
      if (c) loadMatricesTransposed(added, buffer + t * 128 + matrices);
#pragma unroll
      for (int i = 0; i < 4; i++) {
        const float* values = &sum[(first + t) / 8 + i / 2][i % 2 * 2];
        const float2 plus = __bfloat1622float2(reinterpret_cast<const __nv_bfloat162&>(added[i]));
        packed[i] = packBf16(values[0] * alpha + plus.x, values[1] * alpha + plus.y);
      }
      storeMatricesTransposed(buffer + t * 128 + matrices, packed);
    }
    syncNamed(1 + group, 128);
#pragma unroll
    for (int t = 0; t < kStoredTokens; t += 16)
      if (isInside(t)) *reinterpret_cast<uint4*>(y + place(t)) = loadShared16(buffer + t * 128 + lines);
  }
}

template <bool kPlain, int kTokens>
__device__ void consume(const Arguments& a, const Shared& shared, const WideTile& tile, Ring<kStages>& ring) {
  const int group = threadIdx.x / 128;
  float sum[kTokens / 8][4] = {};
  const auto release = [&](int stage) {
    if (threadIdx.x % 128 < kBlocks) arriveOfBlock(shared.empty(stage), threadIdx.x % 128);
  };
  int before = -1;
  for (int depth = 0; depth < a.depth; depth += kDepth, ring.advance()) {
    const int stage = ring.stage;
    wait(shared.full(stage), ring.parity);
    const uint32_t weights = shared.weights(stage) + group * kGroupBytes, tokens = shared.tokens(stage);
    pin(sum);
    beginProducts();
#pragma unroll
    for (int step = 0; step < kDepth / 16; step++) {
      const uint64_t rows = kPlain ? columnsDescriptor(weights + step * 2048, kGroupBytes) : rowsDescriptor(weights + columnStep<64>(step));
      multiplyTiles<kPlain>(sum, rows, rowsDescriptor(tokens + columnStep<64>(step)), true);
    }
    commitProducts();
    waitForProducts<1>();
    if (before >= 0) release(before);
    before = stage;
  }
  waitForProducts<0>();
  pin(sum);
  release(before);
  storeTile<kTokens>(sum, a, shared, tile);
}

/** By products of as few tokens as the tile has room in, at most kTokens. */
template <bool kPlain, int kTokens>
__device__ void consumeAtMost(const Arguments& a, const Shared& shared, const WideTile& tile, Ring<kStages>& ring) {
  if constexpr (kTokens > kWideStep)
    if (tile.rows <= kTokens - kWideStep) return consumeAtMost<kPlain, kTokens - kWideStep>(a, shared, tile, ring);
  consume<kPlain, kTokens>(a, shared, tile, ring);
}

#endif

template <bool kPlain, bool kNf4>
__global__ void __launch_bounds__(kThreads, 1) wideKernel(const __grid_constant__ Arguments a) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ char memory[];
  const uint32_t base = (sharedAddress(memory) + 1023) & ~1023u;
  const Shared shared{memory + (base - sharedAddress(memory)), base};
  const WideTiles tiles{reinterpret_cast<int32_t*>(shared.memory + kTable<kNf4>), a.p.experts,
                        (a.width + kBlocks * kColumns - 1) / (kBlocks * kColumns) * kBlocks, kColumns};
  if (threadIdx.x < 32) tiles.prepare(a.p.offsets, a.p.rows, a.p.fault);
  if (threadIdx.x == kConsumers) {
    // Of a stage in NF4: each line, and who loads the tokens.
    for (int stage = 0; stage < kStages; stage++) initBarrier(shared.full(stage), kNf4 ? 129 : 1), initBarrier(shared.empty(stage), 2 * kBlocks);
    publishBarriers();
  }
  __syncthreads();
  meetCluster();
  Ring<kStages> ring;
  const int count = tiles.count();
  if (threadIdx.x >= kConsumers) {
    giveRegisters<72>();
    for (int index = blockIdx.x; index < count; index += gridDim.x) {
      const WideTile tile = tiles.at(index);
      if constexpr (kNf4) decodeStages<kPlain>(a, shared, tile, ring);
      else if (threadIdx.x == kConsumers) loadStages<kPlain>(a, shared, tile, ring);
    }
  } else {
    takeRegisters<216>();
    for (int index = blockIdx.x; index < count; index += gridDim.x) {
      const WideTile tile = tiles.at(index);
      consumeAtMost<kPlain, kWideRows>(a, shared, tile, ring);
    }
  }
  meetCluster();  // the other block's warps arrive at this one's barriers until they end
#endif
}

template <bool kPlain, bool kNf4>
const char* launchWide(const Arguments& arguments, int multiprocessors, cudaStream_t stream) {
  const int shared_bytes = kTable<kNf4> + wideTableBytes(arguments.p.experts) + 1024;
  const auto kernel = wideKernel<kPlain, kNf4>;
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes);
  ClusterLaunch{kBlocks, kThreads, static_cast<size_t>(shared_bytes)}.start(kernel, static_cast<unsigned>(multiprocessors / kBlocks), stream, arguments);
  return nullptr;
}

/** ANNEAL_CUDA_EXPERTS=mma makes a GPU use other kernels than its best, for tests. */
bool isChosen() {
  const char* name = std::getenv("ANNEAL_CUDA_EXPERTS");
  return isHopper() && !(name && std::strcmp(name, "mma") == 0);
}

}  // namespace

bool servesWideTiles(const ExpertProduct& p, bool nf4) {
  if (nf4 && p.rows > kMostRowsOfCodes * p.experts) return false;
  return p.a.type == DType::bf16 && p.N % 8 == 0 && p.K % (nf4 ? kNf4Block : 8) == 0 && p.experts <= kMostWideExperts && isChosen();
}

const char* wideExpertProduct(const ExpertProduct& p, const Nf4Blocks* nf4, bool plain, int multiprocessors, cudaStream_t stream) {
  Arguments a{{}, {}, p, nf4 ? *nf4 : Nf4Blocks{}, plain ? p.N : p.K, plain ? p.K : p.N};
  const int box = plain ? kDepth : kColumns;
  if (!makeMatrixMap(a.tokens, p.a.data, p.rows, a.depth, kTokenBox)) return kNoTensorMap;
  if (!nf4 && !makeMatrixMap(a.weights, p.b.data, int64_t{p.experts} * p.N, p.K, box)) return kNoTensorMap;
  if (nf4) return plain ? launchWide<true, true>(a, multiprocessors, stream) : launchWide<false, true>(a, multiprocessors, stream);
  return plain ? launchWide<true, false>(a, multiprocessors, stream) : launchWide<false, false>(a, multiprocessors, stream);
}

}  // namespace anneal::cuda
