#include "chunk.h"
#include "chunk_backward.h"
#include "cpu/recurrent_heads.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** So many parts the heads of a group are divided into, going back: each adds up its own gradients of B and C. */
constexpr int64_t kMostParts = 8;

const char* checkHeads(const StateSpace& op) {
  if (op.groups < 1 || op.state_size < 1 || op.heads % op.groups != 0 || op.head_size < 1) return "heads are not a multiple of groups";
  return nullptr;
}

using Backward = BackwardHead<StateSpace, Chunk, ChunkSlopes>;

/** Of a part: dB and dC of all tokens, and what a head takes. */
int64_t partFloats(const StateSpace& op) { return op.tokens * 2 * op.state_size + Backward::floats(op); }

/** dB and dC of all groups, from those of their parts. */
void addParts(const Launch& launch, const StateSpace& op, const float* space, int64_t parts, float* d_xbc) {
  const int64_t columns = 2 * op.state_size;
  parallelFor(*launch.context, op.tokens, grainFor(op.groups * parts * columns), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++)
      for (int64_t group = 0; group < op.groups; group++) {
        float* to = d_xbc + t * op.columns + op.values() + group * op.state_size;
        for (int64_t c = 0; c < columns; c++) {
          const float* from = space + group * parts * partFloats(op) + t * columns + c;
          float sum = 0;
          for (int64_t part = 0; part < parts; part++) sum += from[part * partFloats(op)];
          to[c < op.state_size ? c : (op.groups - 1) * op.state_size + c] = sum;
        }
      }
  });
}

}  // namespace

const char* state_space(const Launch& launch) {
  const StateSpace op(launch.inputs, launch.attributes);
  const Documents documents(launch.inputs[5]);
  if (const char* problem = checkHeads(op)) return problem;
  if (const char* problem = documents.check(op.tokens)) return problem;
  runHeads<Chunk>(*launch.context, op, documents, reinterpret_cast<float*>(launch.workspace), launch.outputs[0].f32());
  return nullptr;
}

const char* state_space_backward(const Launch& launch) {
  const StateSpace op(launch.inputs + 1, launch.attributes);
  const Documents documents(launch.inputs[6]);
  if (const char* problem = checkHeads(op)) return problem;
  if (const char* problem = documents.check(op.tokens)) return problem;
  const Tensor decay = launch.outputs[2], shift = launch.outputs[3], skip = launch.outputs[4];
  float *d_xbc = launch.outputs[0].f32(), *space = reinterpret_cast<float*>(launch.workspace);
  const int64_t parts = op.headsOfGroup() < kMostParts ? op.headsOfGroup() : kMostParts;
  parallelFor(*launch.context, op.groups * parts, 1, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; p++) {
      float* d_bc = space + p * partFloats(op);
      const Backward backward(op, documents, d_bc + op.tokens * 2 * op.state_size);
      const StateSpaceSlopes slopes{launch.inputs[0].f32(), d_xbc, launch.outputs[1].f32(), d_bc};
      for (int64_t i = p % parts; i < op.headsOfGroup(); i += parts) {
        const int64_t head = p / parts * op.headsOfGroup() + i;
        const ChunkSlopes::Totals totals = backward.run(head, slopes, i >= parts);
        if (!decay.absent()) decay.f32()[head] += static_cast<float>(totals.decay);
        if (!shift.absent()) shift.f32()[head] += static_cast<float>(totals.shift);
        if (!skip.absent()) skip.f32()[head] += static_cast<float>(totals.skip);
      }
    }
  });
  addParts(launch, op, space, parts, d_xbc);
  return nullptr;
}

const char* state_space_cached(const Launch& launch) {
  const StateSpace op(launch.inputs, launch.attributes);
  if (const char* problem = checkHeads(op)) return problem;
  const Tensor states = launch.outputs[1];
  const CarriedStates carried(launch.inputs[6], launch.inputs[7], states.shape[0] * states.shape[1] / (op.heads * op.state()));
  if (const char* problem = carried.check()) return problem;
  continueHeads<Chunk>(*launch.context, op, carried, states.f32(), reinterpret_cast<float*>(launch.workspace), launch.outputs[0].f32());
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
