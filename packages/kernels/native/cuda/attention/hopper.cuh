#pragma once

#include <cuda.h>

#include "mma.cuh"

// Barriers in shared memory, TMA loads and registers of warpgroups: sm_90a.

namespace anneal::cuda {

__device__ inline void initBarrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}
/** Barriers that were initialized become visible to TMA; the block must synchronize as well. */
__device__ inline void publishBarriers() { asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory"); }

__device__ inline void arrive(uint32_t barrier) { asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(barrier) : "memory"); }
__device__ inline void arriveExpecting(uint32_t barrier, uint32_t bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes) : "memory");
}
/** At this barrier of another block of the cluster, or of this one. */
__device__ inline void arriveOfBlock(uint32_t barrier, int block) {
  asm volatile(
      "{.reg .b32 address;\n"
      "mapa.shared::cluster.u32 address, %0, %1;\n"
      "mbarrier.arrive.shared::cluster.b64 _, [address];}" ::"r"(barrier),
      "r"(block)
      : "memory");
}
/** Waits until the barrier has left the phase of this parity. */
__device__ inline void wait(uint32_t barrier, uint32_t parity) {
  asm volatile(
      "{.reg .pred done;\n"
      "again: mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
      "@!done bra again;}" ::"r"(barrier),
      "r"(parity)
      : "memory");
}

/** TMA reads a map from memory: a head start before its first use. */
__device__ inline void prefetchTensorMap(const CUtensorMap& map) { asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory"); }

__device__ inline void loadTile(uint32_t to, const CUtensorMap& map, int row, int column_tile, uint32_t barrier) {
  asm volatile("cp.async.bulk.tensor.3d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3, %4}], [%5];" ::"r"(to), "l"(&map),
               "r"(0), "r"(row), "r"(column_tile), "r"(barrier)
               : "memory");
}

/** As loadTile, of a matrix that makeMatrixMap describes. */
__device__ inline void loadMatrixTile(uint32_t to, const CUtensorMap& map, int row, int column, uint32_t barrier) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1, {%2, %3}], [%4];" ::"r"(to), "l"(&map),
               "r"(column), "r"(row), "r"(barrier)
               : "memory");
}

/** The same to the same place in each of the first `blocks` blocks of the cluster, which tells the barrier of each. */
__device__ inline void loadMatrixTileForAll(uint32_t to, const CUtensorMap& map, int row, int column, uint32_t barrier, int blocks) {
  asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(to),
               "l"(&map), "r"(column), "r"(row), "r"(barrier), "h"(static_cast<uint16_t>((1 << blocks) - 1))
               : "memory");
}

/** What this thread wrote to shared memory becomes visible to wgmma, which reads past its order; the reader must be told afterwards. */
__device__ inline void publishToProducts() { asm volatile("fence.proxy.async.shared::cta;" ::: "memory"); }

/** As loadMatricesTransposed reads them. */
__device__ inline void storeMatricesTransposed(uint32_t address, const uint32_t (&r)[4]) {
  asm volatile("stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%0], {%1,%2,%3,%4};" ::"r"(address), "r"(r[0]), "r"(r[1]), "r"(r[2]), "r"(r[3])
               : "memory");
}

__device__ inline uint4 loadShared16(uint32_t address) {
  uint4 values;
  asm volatile("ld.shared.v4.b32 {%0,%1,%2,%3}, [%4];" : "=r"(values.x), "=r"(values.y), "=r"(values.z), "=r"(values.w) : "r"(address) : "memory");
  return values;
}
__device__ inline void storeShared16(uint32_t address, const uint4& values) {
  asm volatile("st.shared.v4.b32 [%0], {%1,%2,%3,%4};" ::"r"(address), "r"(values.x), "r"(values.y), "r"(values.z), "r"(values.w) : "memory");
}

template <int kRegisters>
__device__ inline void takeRegisters() {
  asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters>
__device__ inline void giveRegisters() {
  asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

__device__ inline void syncNamed(int barrier, int threads) { asm volatile("bar.sync %0, %1;" ::"r"(barrier), "r"(threads) : "memory"); }
__device__ inline void arriveNamed(int barrier, int threads) { asm volatile("bar.arrive %0, %1;" ::"r"(barrier), "r"(threads) : "memory"); }

/** Which of kStages buffers comes next, and how often it has been used. */
template <int kStages>
struct Ring {
  int stage = 0;
  uint32_t parity = 0;
  __device__ void advance() {
    if (++stage == kStages) stage = 0, parity ^= 1;
  }
};

/** Sums of a product as the first operand of the next one. */
template <int kColumns>
__device__ inline void packWeights(uint32_t (&to)[kColumns / 16][4], const float (&from)[kColumns / 8][4]) {
#pragma unroll
  for (int step = 0; step < kColumns / 16; step++) {
#pragma unroll
    for (int i = 0; i < 4; i++) to[step][i] = packBf16(from[2 * step + i / 2][i % 2 * 2], from[2 * step + i / 2][i % 2 * 2 + 1]);
  }
}

/**
 * Writes a warp's 16 rows of sums, the upper eight times factor[0] and the lower times factor[1], to rows begin … of a matrix, up to `end`. Four
 * lanes hold eight columns of a row; they exchange them so that each writes 16 bytes, and the four 64 in a row.
 */
template <int kSize>
__device__ inline void storeSums(const float (&sum)[kSize / 8][4], const float (&factor)[2], bf16* to, int stride, int begin, int end) {
  const int lane = threadIdx.x % 32, place = lane % 4;
#pragma unroll
  for (int half = 0; half < 2; half++) {
    const int row = begin + half * 8 + lane / 4;
    bf16* const target = to + int64_t{row} * stride + place * 8;
#pragma unroll
    for (int n = 0; n < kSize / 8; n += 4) {
      uint32_t own[4], got[4];
#pragma unroll
      for (int i = 0; i < 4; i++) own[i] = packBf16(sum[n + i][2 * half] * factor[half], sum[n + i][2 * half + 1] * factor[half]);
#pragma unroll
      for (int shift = 0; shift < 4; shift++) {
        const int other = place ^ shift;
        const uint32_t sent = other == 0 ? own[0] : other == 1 ? own[1] : other == 2 ? own[2] : own[3];
        const uint32_t received = __shfl_xor_sync(~0u, sent, shift);
#pragma unroll
        for (int i = 0; i < 4; i++) got[i] = i == other ? received : got[i];
      }
      if (row < end) *reinterpret_cast<uint4*>(target + n * 8) = {got[0], got[1], got[2], got[3]};
    }
  }
}

}  // namespace anneal::cuda
