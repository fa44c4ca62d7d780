#include "cuda/attention/attention.h"
#include "cuda/cuda_context.h"
#include "cuda/types.cuh"

namespace anneal::cuda {

static const char* withoutSinks(const Forward& forward, bool hasSequences, float* partial, cudaStream_t stream) {
  const AttentionShape& shape = forward.shape;
  const bool isSingle = !hasSequences && shape.tokens == 1 && shape.head_size <= kMostDecodeSize;
  if (isSingle) return decodeForward(forward, partial, stream);
  // Where every sequence has one token, none is left for the kernels of several.
  if (!hasSequences || shape.tokens > shape.documents)
    if (const char* problem = attentionForward(forward, stream)) return problem;
  return hasSequences ? decodeForward(forward, nullptr, stream) : nullptr;
}

/** Positions are on the device: cache_write, which comes first, looks at them; here they are kept inside the cache. */
const char* attention_cached(const Launch& launch) {
  const Tensor &q = launch.inputs[0], &keys = launch.inputs[1], &values = launch.inputs[2], &positions = launch.inputs[3], &sequences = launch.inputs[4];
  const double* a = launch.attributes;
  const cudaStream_t stream = contextOf(launch).stream;
  const int tokens = static_cast<int>(q.shape[0]), count = sequences.absent() ? 1 : static_cast<int>(sequences.shape[0]);
  if (keys.type != values.type) return "keys and values have different types";
  if (sequences.absent() && tokens > keys.shape[0]) return "the context is longer than the cache";
  if (tokens == 0 || count == 0) return nullptr;
  const AttentionShape shape{tokens,
                             static_cast<int>(a[0]),
                             static_cast<int>(a[1]),
                             static_cast<int>(a[2]),
                             count,
                             nullptr,
                             positions.i32(),
                             sequences.i32(),
                             static_cast<int>(keys.shape[0]),
                             static_cast<float>(a[3]),
                             static_cast<int>(a[4]),
                             q.type,
                             keys.type,
                             static_cast<float>(a[5])};
  const float* sinks = launch.inputs[5].f32();  // may be absent
  char* workspace = launch.workspace;
  float* lse = sinks ? take<float>(workspace, int64_t{shape.heads} * tokens) : nullptr;
  const Forward forward{shape, q.data, keys.data, values.data, launch.outputs[0].data, lse, nullptr};
  const char* problem = withoutSinks(forward, !sequences.absent(), reinterpret_cast<float*>(workspace), stream);
  return problem || !sinks ? problem : joinSinks(forward, sinks, stream);
}

}  // namespace anneal::cuda
