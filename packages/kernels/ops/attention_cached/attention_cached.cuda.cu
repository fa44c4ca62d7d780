#include "cuda/attention/attention.h"
#include "cuda/cuda_context.h"

namespace anneal::cuda {

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
  const Forward forward{shape, q.data, keys.data, values.data, launch.outputs[0].data, nullptr, nullptr, launch.inputs[5].f32()};
  const bool isSingle = sequences.absent() && tokens == 1 && shape.head_size <= kMostDecodeSize;
  if (isSingle) return decodeForward(forward, reinterpret_cast<float*>(launch.workspace), stream);
  // Where every sequence has one token, none is left for the kernels of several.
  if (sequences.absent() || tokens > count)
    if (const char* problem = attentionForward(forward, stream)) return problem;
  return sequences.absent() ? nullptr : decodeForward(forward, nullptr, stream);
}

}  // namespace anneal::cuda
