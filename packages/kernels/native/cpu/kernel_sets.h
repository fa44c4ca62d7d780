#pragma once

#include "../kernel.h"

namespace anneal {

/**
 * The instruction sets this binary was compiled for, best first, ended by an entry without a name. One may stand
 * in two places, of which at most one is supported.
 */
const KernelSet* kernelSets();

/** The best set this processor runs, or the one asked for by name; null when it is unknown or not supported here. */
const KernelSet* findKernelSet(const char* isa);

}  // namespace anneal
