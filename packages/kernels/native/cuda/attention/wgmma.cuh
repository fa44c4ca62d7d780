#pragma once

#include <cstdint>

// wgmma of sm_90a: the four warps of a warpgroup multiply 64 rows at once, asynchronously, with sums in registers that lie as those of mma.sync.
// Operands in shared memory are tiles [columns / 64][rows][64] of bf16 in TMA's 128-byte swizzle, at multiples of 1024 bytes.

namespace anneal::cuda {

/** Rows of 16 columns along the sum, for either operand of a transposed product; columns further by 16 are further by columnStep. */
__device__ inline uint64_t rowsDescriptor(uint32_t address) {
  return (address & 0x3ffff) >> 4 | uint64_t{1} << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
}

/** 16 rows along the sum by all columns, for the second operand of a plain product; tiles of 64 columns are `box` bytes apart. */
__device__ inline uint64_t columnsDescriptor(uint32_t address, uint32_t box) {
  return (address & 0x3ffff) >> 4 | uint64_t{box >> 4} << 16 | uint64_t{1024 >> 4} << 32 | uint64_t{1} << 62;
}

/** Bytes from the start of a tile of kRows rows to its 16 columns `step`. */
template <int kRows>
__device__ constexpr uint32_t columnStep(int step) {
  return step / 4 * kRows * 128 + step % 4 * 32;
}

__device__ inline void beginProducts() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void commitProducts() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }

/** Waits until at most kPending committed groups still run. */
template <int kPending>
__device__ inline void waitForProducts() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

/** Keeps the compiler from moving what touches these registers across this point: products write them later than it believes. */
template <int kRows, int kColumns>
__device__ inline void pin(float (&d)[kRows][kColumns]) {
#pragma unroll
  for (int i = 0; i < kRows; i++) {
#pragma unroll
    for (int j = 0; j < kColumns; j++) asm volatile("" : "+f"(d[i][j])::"memory");
  }
}
template <int kRows, int kColumns>
__device__ inline void pin(uint32_t (&d)[kRows][kColumns]) {
#pragma unroll
  for (int i = 0; i < kRows; i++) {
#pragma unroll
    for (int j = 0; j < kColumns; j++) asm volatile("" : "+r"(d[i][j])::"memory");
  }
}

// A row of sums as operands of an instruction, and rows of it.
#define ANNEAL_SUMS(i) "+f"(d[i][0]), "+f"(d[i][1]), "+f"(d[i][2]), "+f"(d[i][3])
#define ANNEAL_SUMS_4(i) ANNEAL_SUMS(i), ANNEAL_SUMS(i + 1), ANNEAL_SUMS(i + 2), ANNEAL_SUMS(i + 3)
#define ANNEAL_SUMS_8(i) ANNEAL_SUMS_4(i), ANNEAL_SUMS_4(i + 4)
#define ANNEAL_SUMS_16(i) ANNEAL_SUMS_8(i), ANNEAL_SUMS_8(i + 8)
#define ANNEAL_SUMS_24(i) ANNEAL_SUMS_16(i), ANNEAL_SUMS_8(i + 16)
#define ANNEAL_SUMS_32(i) ANNEAL_SUMS_16(i), ANNEAL_SUMS_16(i + 16)
// What the instruction calls them: the first 32, 64, 96 and 128 operands.
#define ANNEAL_NAMES_32 \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, " \
  "%16, %17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31"
#define ANNEAL_NAMES_64 \
  ANNEAL_NAMES_32 \
  ", %32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, %47, " \
  "%48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, %62, %63"
#define ANNEAL_NAMES_96 \
  ANNEAL_NAMES_64 \
  ", %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, %77, %78, %79, " \
  "%80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, %92, %93, %94, %95"
#define ANNEAL_NAMES_128 \
  ANNEAL_NAMES_96 \
  ", %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, %106, %107, %108, %109, %110, %111, " \
  "%112, %113, %114, %115, %116, %117, %118, %119, %120, %121, %122, %123, %124, %125, %126, %127"

// d (+)= a · bᵀ with both in shared memory, by 16 columns of the sum. With kAcross, `a` lies with the sum as its rows.
template <bool kAcross = false>
__device__ inline void multiplyTiles(float (&d)[8][4], uint64_t a, uint64_t b, bool add) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %34, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" ANNEAL_NAMES_32 "}, %32, %33, p, 1, 1, %35, 0;}"
      : ANNEAL_SUMS_8(0)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(kAcross ? 1 : 0));
}
template <bool kAcross = false>
__device__ inline void multiplyTiles(float (&d)[16][4], uint64_t a, uint64_t b, bool add) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %66, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" ANNEAL_NAMES_64 "}, %64, %65, p, 1, 1, %67, 0;}"
      : ANNEAL_SUMS_16(0)
      : "l"(a), "l"(b), "r"(static_cast<int>(add)), "n"(kAcross ? 1 : 0));
}

// d += a · b with a in registers, by 16 rows of b.
__device__ inline void multiplyRows(float (&d)[8][4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %37, 0; wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {" ANNEAL_NAMES_32 "}, {%32, %33, %34, %35}, %36, p, 1, 1, 1;}"
      : ANNEAL_SUMS_8(0)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(1));
}
__device__ inline void multiplyRows(float (&d)[16][4], const uint32_t (&a)[4], uint64_t b) {
  asm volatile(
      "{.reg .pred p; setp.ne.b32 p, %69, 0; wgmma.mma_async.sync.aligned.m64n128k16.f32.bf16.bf16 {" ANNEAL_NAMES_64 "}, {%64, %65, %66, %67}, %68, p, 1, 1, 1;}"
      : ANNEAL_SUMS_16(0)
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(1));
}

/** sum = rows of a · (rows of b)ᵀ over kSize. a and b are tiles of kRowsA and kRowsB rows; a begins at the warpgroup's own. */
template <int kSize, int kRowsA, int kRowsB, int kColumns>
__device__ inline void multiplyTransposedTiles(float (&sum)[kColumns / 8][4], uint32_t a, uint32_t b) {
#pragma unroll
  for (int step = 0; step < kSize / 16; step++)
    multiplyTiles(sum, rowsDescriptor(a + columnStep<kRowsA>(step)), rowsDescriptor(b + columnStep<kRowsB>(step)), step > 0);
}

/** sum += weights · b over the kInner rows of b. */
template <int kSize, int kInner>
__device__ inline void multiplyWeightsTile(float (&sum)[kSize / 8][4], const uint32_t (&weights)[kInner / 16][4], uint32_t b) {
#pragma unroll
  for (int step = 0; step < kInner / 16; step++) multiplyRows(sum, weights[step], columnsDescriptor(b + step * 2048, kInner * 128));
}

}  // namespace anneal::cuda
