#include "cuda/attention/attention.h"
#include "cuda/cuda_context.h"

namespace anneal::cuda {

/** Positions are on the device: cache_write, which comes first, looks at them; here they are kept inside the cache. */
const char* attention_cached(const Launch& launch) {
  const Tensor &q = launch.inputs[0], &keys = launch.inputs[1], &values = launch.inputs[2], &positions = launch.inputs[3];
  const double* a = launch.attributes;
  if (!launch.inputs[4].absent()) return "several sequences side by side have no kernel on CUDA";
  if (keys.type != values.type) return "keys and values have different types";
  if (q.shape[0] > keys.shape[0]) return "the context is longer than the cache";
  const AttentionShape shape{static_cast<int>(q.shape[0]),
                             static_cast<int>(a[0]),
                             static_cast<int>(a[1]),
                             static_cast<int>(a[2]),
                             1,
                             nullptr,
                             positions.i32(),
                             static_cast<int>(keys.shape[0]),
                             static_cast<float>(a[3]),
                             static_cast<int>(a[4]),
                             q.type,
                             keys.type,
                             static_cast<float>(a[5])};
  return attentionForward({shape, q.data, keys.data, values.data, launch.outputs[0].data, nullptr, nullptr}, contextOf(launch).stream);
}

}  // namespace anneal::cuda
