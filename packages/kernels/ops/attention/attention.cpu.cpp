#include "cpu/attention/attention.h"

#include "cpu/documents.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** @param sinks may be absent */
static AttentionShape shapeOf(const Launch& launch, const float* sinks) {
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
          static_cast<float>(a[5]),
          sinks};
}

static const char* check(const Launch& launch, const AttentionShape& shape) {
  if (const char* problem = checkHeads(shape.heads, shape.kv_heads, shape.head_size)) return problem;
  return Documents(launch.inputs[3]).check(shape.tokens);
}

const char* attention(const Launch& launch) {
  const AttentionShape shape = shapeOf(launch, launch.inputs[4].f32());
  if (const char* problem = check(launch, shape)) return problem;
  attention_forward(*launch.context, shape, launch.inputs[0].f32(), launch.inputs[1].f32(), launch.inputs[2].f32(), launch.outputs[0].f32(),
                    launch.outputs[1].f32());
  return nullptr;
}

const char* attention_backward(const Launch& launch) {
  const AttentionShape shape = shapeOf(launch, nullptr);  // lse says all that it needs of them
  if (const char* problem = check(launch, shape)) return problem;
  attention_backward(*launch.context, shape, launch.inputs[0].f32(), launch.inputs[1].f32(), launch.inputs[2].f32(), launch.inputs[4].f32(),
                     launch.inputs[5].f32(), launch.inputs[6].f32(), launch.outputs[0].f32(), launch.outputs[1].f32(), launch.outputs[2].f32());
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
