#include "../kernel.h"
#include "../kernel_list.h"

namespace anneal {
namespace ANNEAL_ISA {

#define ANNEAL_DECLARE(name) const char* name(const Launch&);
ANNEAL_KERNELS(ANNEAL_DECLARE)
ANNEAL_CPU_KERNELS(ANNEAL_DECLARE)

static const KernelEntry entries[] = {
#define ANNEAL_ENTRY(name) {#name, name},
    ANNEAL_KERNELS(ANNEAL_ENTRY) ANNEAL_CPU_KERNELS(ANNEAL_ENTRY){nullptr, nullptr}};

const KernelEntry* kernels() { return entries; }

}  // namespace ANNEAL_ISA
}  // namespace anneal
