#pragma once

#include "../kernel.h"

namespace anneal {

/** The instruction sets this binary was compiled for, best first, ended by an entry without a name. */
const KernelSet* kernelSets();

/** The best set this processor runs, or the one asked for by name; null when it is unknown or not supported here. */
const KernelSet* findKernelSet(const char* isa);

}  // namespace anneal
