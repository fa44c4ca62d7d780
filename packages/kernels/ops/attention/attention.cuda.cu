#include "cuda/attention/attention.h"

#include "cuda/cuda_context.h"

namespace anneal::cuda {

static AttentionShape shapeOf(const Launch& launch) {
  const Tensor &q = launch.inputs[0], &cu_seqlens = launch.inputs[3];
  const double* a = launch.attributes;
  return {static_cast<int>(q.shape[0]),
          static_cast<int>(a[0]),
          static_cast<int>(a[1]),
          static_cast<int>(a[2]),
          static_cast<int>(cu_seqlens.shape[0]) - 1,
          cu_seqlens.i32(),
          nullptr,
          nullptr,
          0,
          static_cast<float>(a[3]),
          static_cast<int>(a[4]),
          q.type,
          launch.inputs[1].type,
          static_cast<float>(a[5])};
}

/** What is wrong with the tensors' types and extents, or null. Where documents end only the device knows: kernels stay inside the row. */
static const char* check(const Launch& launch, int inputs) {
  for (int i : {0, 1, 2, 4, 6})
    if (i < inputs && launch.inputs[i].type != launch.inputs[0].type) return "queries, keys, values and outputs have different types";
  return launch.inputs[3].shape[0] < 2 ? "cuSeqlens does not run from 0 to the number of tokens" : nullptr;
}

const char* attention(const Launch& launch) {
  if (const char* problem = check(launch, 4)) return problem;
  const Tensor *in = launch.inputs, *out = launch.outputs;
  int* counter = reinterpret_cast<int*>(launch.workspace);
  return attentionForward({shapeOf(launch), in[0].data, in[1].data, in[2].data, out[0].data, out[1].f32(), counter, in[4].f32()},
                          contextOf(launch).stream);
}

const char* attention_backward(const Launch& launch) {
  if (const char* problem = check(launch, 7)) return problem;
  const Tensor *in = launch.inputs, *out = launch.outputs;
  return attentionBackward({shapeOf(launch), in[0].data, in[1].data, in[2].data, in[4].data, in[5].f32(), in[6].data, out[0].data, out[1].data,
                            out[2].data, reinterpret_cast<float*>(launch.workspace)},
                           contextOf(launch).stream);
}

}  // namespace anneal::cuda
