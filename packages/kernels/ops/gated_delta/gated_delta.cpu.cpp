#include "chunk.h"
#include "chunk_backward.h"
#include "cpu/recurrent_heads.h"

namespace anneal::ANNEAL_ISA {
namespace {

const char* checkHeads(const GatedDelta& op) {
  if (op.key_heads < 1 || op.key_size < 1 || op.heads % op.key_heads != 0 || op.value_size < 1) return "heads are not a multiple of key heads";
  return nullptr;
}

/** From the gradients of `scale` · x / |x| to those of x, for the columns of a head. */
void undoLengths(const GatedDelta& op, int64_t column, float scale, float* d_qkv) {
  for (int64_t t = 0; t < op.tokens; t++) {
    const float *x = op.qkv + t * op.columns + column, inverse = inverseLength(x, op.key_size);
    float* dx = d_qkv + t * op.columns + column;
    addScaled(dx, -inverse * inverse * dot(x, dx, op.key_size), x, op.key_size);
    scaleBy(dx, scale * inverse, op.key_size);
  }
}

using Backward = BackwardHead<GatedDelta, Chunk, ChunkSlopes>;

}  // namespace

const char* gated_delta(const Launch& launch) {
  const GatedDelta op(launch.inputs, launch.attributes);
  const Documents documents(launch.inputs[5]);
  if (const char* problem = checkHeads(op)) return problem;
  if (const char* problem = documents.check(op.tokens)) return problem;
  runHeads<Chunk>(*launch.context, op, documents, reinterpret_cast<float*>(launch.workspace), launch.outputs[0].f32());
  return nullptr;
}

const char* gated_delta_backward(const Launch& launch) {
  const GatedDelta op(launch.inputs + 1, launch.attributes);
  const Documents documents(launch.inputs[6]);
  if (const char* problem = checkHeads(op)) return problem;
  if (const char* problem = documents.check(op.tokens)) return problem;
  const GatedDeltaSlopes slopes{launch.inputs[0].f32(), launch.outputs[0].f32(), launch.outputs[1].f32(), launch.outputs[2].f32()};
  const Tensor decay_total = launch.outputs[3], shift_total = launch.outputs[4];
  float* space = reinterpret_cast<float*>(launch.workspace);
  // By key heads, so that those which share one add to its gradient in their order.
  parallelFor(*launch.context, op.key_heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t key_head = begin; key_head < end; key_head++) {
      const Backward backward(op, documents, space + key_head * Backward::floats(op));
      for (int64_t i = 0; i < op.group(); i++) {
        const int64_t head = key_head * op.group() + i;
        const ChunkSlopes::Totals totals = backward.run(head, slopes, i > 0);
        if (!decay_total.absent()) decay_total.f32()[head] += static_cast<float>(totals.decay);
        if (!shift_total.absent()) shift_total.f32()[head] += static_cast<float>(totals.shift);
      }
      undoLengths(op, op.queryColumn(key_head * op.group()), 1.0f / ::sqrtf(static_cast<float>(op.key_size)), slopes.d_qkv);
      undoLengths(op, op.keyColumn(key_head * op.group()), 1, slopes.d_qkv);
    }
  });
  return nullptr;
}

const char* gated_delta_cached(const Launch& launch) {
  const GatedDelta op(launch.inputs, launch.attributes);
  if (const char* problem = checkHeads(op)) return problem;
  const Tensor states = launch.outputs[1];
  const CarriedStates carried(launch.inputs[6], launch.inputs[7], states.shape[0] * states.shape[1] / (op.heads * op.state()));
  if (const char* problem = carried.check()) return problem;
  continueHeads<Chunk>(*launch.context, op, carried, states.f32(), reinterpret_cast<float*>(launch.workspace), launch.outputs[0].f32());
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
