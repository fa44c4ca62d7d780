#include "chunk.h"
#include "chunk_backward.h"
#include "cpu/documents.h"
#include "cpu/parallel.h"

namespace anneal::ANNEAL_ISA {
namespace {

const char* checkHeads(const GatedDelta& op) {
  if (op.key_heads < 1 || op.key_size < 1 || op.heads % op.key_heads != 0 || op.value_size < 1) return "heads are not a multiple of key heads";
  return nullptr;
}

/** From S before the tokens to that after them. */
void runHead(Chunk& chunk, float* S, int64_t begin, int64_t end, float* out) {
  for (int64_t t = begin; t < end; t = chunkEnd(t, end)) {
    chunk.load(t, chunkEnd(t, end) - t);
    chunk.solve(S);
    chunk.output(S, out);
    chunk.advance(S);
  }
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

struct Totals {
  double decay = 0, shift = 0;
};

/** Two passes over a head: for the states before its chunks, then back. */
struct BackwardHead {
  const GatedDelta& op;
  const Documents& documents;
  float *S, *dS, *states;
  float* rest;

  BackwardHead(const GatedDelta& op, const Documents& documents, float* space)
      : op(op), documents(documents), S(space), dS(S + op.state()), states(dS + op.state()),
        rest(states + (op.tokens + kChunk - 1) / kChunk * op.state()) {}

  static int64_t floats(const GatedDelta& op) {
    return (2 + (op.tokens + kChunk - 1) / kChunk) * op.state() + Chunk::floats(op) + ChunkSlopes::floats(op);
  }

  /** A chunk that does not begin its document begins at a multiple of kChunk. */
  float* before(int64_t token) const { return states + token / kChunk * op.state(); }

  Totals run(int64_t head, const GatedDeltaSlopes& slopes, bool adds) const {
    Chunk chunk(op, head, rest);
    ChunkSlopes gradients(op, rest + Chunk::floats(op));
    const size_t bytes = static_cast<size_t>(op.state()) * sizeof(float);
    Totals totals;
    for (int64_t d = 0; d < documents.count; d++) {
      const int64_t start = documents.ends[d], end = documents.ends[d + 1];
      std::memset(S, 0, bytes);
      for (int64_t t = start; t < end; t = chunkEnd(t, end)) {
        if (t != start) std::memcpy(before(t), S, bytes);
        chunk.load(t, chunkEnd(t, end) - t);
        chunk.solve(S);
        chunk.advance(S);
      }
      std::memset(S, 0, bytes);
      std::memset(dS, 0, bytes);
      for (int64_t last = end; last > start; last = chunk.first) {
        const int64_t aligned = (last - 1) / kChunk * kChunk, first = aligned > start ? aligned : start;
        const float* state = first == start ? S : before(first);
        chunk.load(first, last - first);
        chunk.solve(state);
        gradients.run(chunk, state, dS, slopes, adds, &totals.decay, &totals.shift);
      }
    }
    return totals;
  }
};

}  // namespace

const char* gated_delta(const Launch& launch) {
  const GatedDelta op(launch.inputs, launch.attributes);
  const Documents documents(launch.inputs[5]);
  if (const char* problem = checkHeads(op)) return problem;
  if (const char* problem = documents.check(op.tokens)) return problem;
  float *out = launch.outputs[0].f32(), *space = reinterpret_cast<float*>(launch.workspace);
  parallelFor(*launch.context, op.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      float* S = space + head * (Chunk::floats(op) + op.state());
      Chunk chunk(op, head, S + op.state());
      for (int64_t d = 0; d < documents.count; d++) {
        std::memset(S, 0, static_cast<size_t>(op.state()) * sizeof *S);
        runHead(chunk, S, documents.ends[d], documents.ends[d + 1], out);
      }
    }
  });
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
      const BackwardHead backward(op, documents, space + key_head * BackwardHead::floats(op));
      for (int64_t i = 0; i < op.group(); i++) {
        const int64_t head = key_head * op.group() + i;
        const Totals totals = backward.run(head, slopes, i > 0);
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
  float *out = launch.outputs[0].f32(), *states = launch.outputs[1].f32(), *space = reinterpret_cast<float*>(launch.workspace);
  const bool begins = op.tokens > 0 && launch.inputs[6].i32()[0] == 0;
  parallelFor(*launch.context, op.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      float* S = states + head * op.state();
      if (begins) std::memset(S, 0, static_cast<size_t>(op.state()) * sizeof *S);
      Chunk chunk(op, head, space + head * Chunk::floats(op));
      runHead(chunk, S, 0, op.tokens, out);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
