#include "kernel_sets.h"

#include <cstring>

namespace anneal {

#define ANNEAL_SET(isa)              \
  namespace isa {                    \
  const KernelEntry* kernels();      \
  }
ANNEAL_SET(plain)
#if defined(__x86_64__)
ANNEAL_SET(avx2)
ANNEAL_SET(avx512)
ANNEAL_SET(avx512bf16)

static bool hasAvx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"); }
static bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl");
}
static bool hasAvx512Bf16() { return hasAvx512() && __builtin_cpu_supports("avx512bf16"); }
#endif
static bool always() { return true; }

const KernelSet* kernelSets() {
  static const KernelSet sets[] = {
#if defined(__x86_64__)
      {"avx512bf16", hasAvx512Bf16, avx512bf16::kernels()},
      {"avx512", hasAvx512, avx512::kernels()},
      {"avx2", hasAvx2, avx2::kernels()},
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
