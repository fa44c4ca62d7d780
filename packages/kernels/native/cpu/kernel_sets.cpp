#include "kernel_sets.h"

#include <cstring>

#include "instruction_sets.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace anneal {

#define ANNEAL_DECLARE(isa)          \
  namespace isa {                    \
  const KernelEntry* kernels();      \
  }
ANNEAL_FOR_EACH_ISA(ANNEAL_DECLARE)
#undef ANNEAL_DECLARE

#if defined(__x86_64__)
static bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }
static bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
static bool hasAvx512Bf16() { return hasAvx512() && __builtin_cpu_supports("avx512bf16"); }

/** Tiles are 8 KB of state a thread, which Linux (5.16 and later) saves only for a process that has asked. */
static bool mayUseTiles() {
#if defined(ANNEAL_EMULATED_AMX)
  return true;
#elif defined(__linux__)
  constexpr unsigned kTile = 1u << 24, kBf16 = 1u << 22;  // leaf 7, EDX
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  unsigned eax, ebx, ecx, edx;
  if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || (edx & kTile) == 0 || (edx & kBf16) == 0) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

static bool hasAmx() {
  static const bool may_use_tiles = hasAvx512Bf16() && mayUseTiles();
  return may_use_tiles;
}

/** Pairs of bf16 in vectors take Intel's processors longer than floats (measured with AMX, see gemm/cells.h), AMD's half the time. */
static bool hasFastAvx512Bf16() { return hasAvx512Bf16() && !__builtin_cpu_is("intel"); }
static bool hasSlowAvx512Bf16() { return hasAvx512Bf16() && __builtin_cpu_is("intel"); }
#endif

#if defined(__aarch64__)
static bool hasNeonBf16() {
#if defined(__linux__)
  constexpr unsigned long kBf16 = 1ul << 14;  // HWCAP2_BF16, which old headers do not have
  return (getauxval(AT_HWCAP2) & kBf16) != 0;
#else
  return false;
#endif
}
#endif

static bool always() { return true; }

const KernelSet* kernelSets() {
  static const KernelSet sets[] = {
#if defined(__x86_64__)
      {"amx", hasAmx, amx::kernels()},
      {"avx512bf16", hasFastAvx512Bf16, avx512bf16::kernels()},
      {"avx512", hasAvx512, avx512::kernels()},
      {"avx512bf16", hasSlowAvx512Bf16, avx512bf16::kernels()},
      {"avx2", hasAvx2, avx2::kernels()},
#elif defined(__aarch64__)
      {"neonbf16", hasNeonBf16, neonbf16::kernels()},
      {"neon", always, neon::kernels()},
#endif
      {"plain", always, plain::kernels()},
      {nullptr, nullptr, nullptr}};
  return sets;
}

const KernelSet* findKernelSet(const char* isa) {
  for (const KernelSet* set = kernelSets(); set->isa; set++) {
    const bool wanted = !isa || !*isa || std::strcmp(isa, set->isa) == 0;
    if (wanted && set->supported()) return set;
  }
  return nullptr;
}

}  // namespace anneal
