#include <algorithm>

#include "attention.h"
#include "hopper_backward_keys.cuh"
#include "hopper_backward_queries.cuh"

// Both passes of the backward in one launch: neither needs the other, and blocks of one fill the processors that the last of the other leave.

namespace anneal::cuda {
namespace {

constexpr int kRows = 128, kThreads = 384;

template <typename Queries_, typename Keys_>
struct Config {
  using Queries = Queries_;
  using Keys = Keys_;
  static_assert(Queries::kRows == kRows && Keys::kRows == kRows && Queries::kKeys == 128 && Keys::kQueries == 64, "as the tensor maps say");
  static constexpr int kSharedBytes = std::max(Queries::kSharedBytes, Keys::kSharedBytes);
};

template <typename C>
__global__ void __launch_bounds__(kThreads, 1) backwardKernel(const __grid_constant__ BackwardArguments a) {
#ifdef __CUDA_ARCH_FEAT_SM90_ALL
  extern __shared__ char memory[];
  const uint32_t base = (sharedAddress(memory) + 1023) & ~1023u;
  if (threadIdx.x == 0) prefetchTensorMap(a.q), prefetchTensorMap(a.d_out), prefetchTensorMap(a.k), prefetchTensorMap(a.v);
  const AttentionShape& s = a.p.shape;
  // Tiles of keys first, and of each kind those with most work first: early keys, late queries.
  const int slots = gridDim.x / (s.heads + s.kv_heads), key_blocks = slots * s.kv_heads, block = blockIdx.x;
  if (block < key_blocks) {
    keys_pass::run<typename C::Keys>(a, base, block % s.kv_heads, block / s.kv_heads);
  } else {
    const int query_block = block - key_blocks;
    queries_pass::run<typename C::Queries>(a, base, query_block % s.heads, slots - 1 - query_block / s.heads);
  }
#endif
}

template <typename C>
const char* launch(const Backward& p, cudaStream_t stream) {
  const AttentionShape& s = p.shape;
  BackwardArguments a{{}, {}, {}, {}, p};
  if (!makeTensorMap(a.q, p.q, s.tokens, s.heads, s.head_size, 64) || !makeTensorMap(a.d_out, p.d_out, s.tokens, s.heads, s.head_size, 64) ||
      !makeTensorMap(a.k, p.k, s.tokens, s.kv_heads, s.head_size, 128) || !makeTensorMap(a.v, p.v, s.tokens, s.kv_heads, s.head_size, 128))
    return kNoTensorMap;
  return launchKernel(backwardKernel<C>, dim3(slotCount(s, kRows) * (s.heads + s.kv_heads)), kThreads, C::kSharedBytes, stream, a);
}

}  // namespace

const char* hopperBackward(const Backward& p, cudaStream_t stream) {
  // Pipelined or not, whichever was faster on an H100, by 5 to 10 %: blocks of 128 columns leave no registers for it.
  if (p.shape.head_size == 64) return launch<Config<queries_pass::Config<64, 128, 4, true>, keys_pass::Config<64, 64, 4, true>>>(p, stream);
  return launch<Config<queries_pass::Config<128, 128, 2, false>, keys_pass::Config<128, 64, 3, false>>>(p, stream);
}

}  // namespace anneal::cuda
