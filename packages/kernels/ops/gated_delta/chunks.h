#pragma once

#include "cuda/cuda_context.h"

namespace anneal::cuda {

/** Whether tensor cores do it on this GPU: bf16, heads of 128 elements. @param inputs qkv, a, b, decay, shift */
bool servesChunks(const Tensor* inputs, const double* attributes);

/** gated_delta and gated_delta_backward of what is served. */
const char* chunksForward(const Launch& launch);
const char* chunksBackward(const Launch& launch);

}  // namespace anneal::cuda
