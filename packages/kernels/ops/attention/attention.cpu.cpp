#include "cpu/attention/attention.h"

#include "kernel.h"

namespace anneal::ANNEAL_ISA {

static AttentionShape shapeOf(const Launch& launch) {
  const Tensor q = launch.inputs[0], cuSeqlens = launch.inputs[3];
  const double* a = launch.attributes;
  return {q.shape[0],
          static_cast<int>(a[0]),
          static_cast<int>(a[1]),
          static_cast<int>(a[2]),
          cuSeqlens.shape[0] - 1,
          cuSeqlens.i32(),
          static_cast<float>(a[3]),
          static_cast<int>(a[4]),
          a[6] != 0 ? DType::bf16 : DType::f32,
          static_cast<float>(a[5])};
}

static const char* check(const AttentionShape& shape) {
  if (const char* problem = checkHeads(shape.heads, shape.kv_heads, shape.head_size)) return problem;
  const int32_t* ends = shape.cu_seqlens;
  if (shape.documents < 1 || ends[0] != 0 || ends[shape.documents] != shape.tokens) return "cuSeqlens does not run from 0 to the number of tokens";
  for (int64_t d = 0; d < shape.documents; d++)
    if (ends[d + 1] < ends[d]) return "cuSeqlens is not ascending";
  return nullptr;
}

const char* attention(const Launch& launch) {
  const AttentionShape shape = shapeOf(launch);
  if (const char* problem = check(shape)) return problem;
  attention_forward(*launch.context, shape, launch.inputs[0].f32(), launch.inputs[1].f32(), launch.inputs[2].f32(), launch.outputs[0].f32(),
                    launch.outputs[1].f32());
  return nullptr;
}

const char* attention_backward(const Launch& launch) {
  const AttentionShape shape = shapeOf(launch);
  if (const char* problem = check(shape)) return problem;
  attention_backward(*launch.context, shape, launch.inputs[0].f32(), launch.inputs[1].f32(), launch.inputs[2].f32(), launch.inputs[4].f32(),
                     launch.inputs[5].f32(), launch.inputs[6].f32(), launch.outputs[0].f32(), launch.outputs[1].f32(), launch.outputs[2].f32());
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
