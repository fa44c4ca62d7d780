#pragma once

#include "kernel.h"

namespace anneal::cuda {

/** All CUDA kernels, ended by an entry without a name. A Launch of theirs has a CudaContext as its context. */
const KernelEntry* kernels();

}  // namespace anneal::cuda
