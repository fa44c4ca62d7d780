#include "chunk.h"
#include "chunk_backward.h"
#include "cpu/documents.h"
#include "cpu/parallel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** So many parts the heads of a group are divided into, going back: each adds up its own gradients of B and C. */
constexpr int64_t kMostParts = 8;

const char* checkHeads(const StateSpace& op) {
  if (op.groups < 1 || op.state_size < 1 || op.heads % op.groups != 0 || op.head_size < 1) return "heads are not a multiple of groups";
  return nullptr;
}

/** From S before the tokens to that after them. */
void runHead(Chunk& chunk, float* S, int64_t begin, int64_t end, float* y) {
  for (int64_t t = begin; t < end; t = chunkEnd(t, end)) {
    chunk.load(t, chunkEnd(t, end) - t);
    chunk.attend();
    chunk.output(S, y);
    chunk.advance(S);
  }
}

/** Two passes over a head: for the states before its chunks, then back. */
struct BackwardHead {
  const StateSpace& op;
  const Documents& documents;
  float *d_bc, *S, *dS, *states, *rest;

  BackwardHead(const StateSpace& op, const Documents& documents, float* space)
      : op(op), documents(documents), d_bc(space), S(d_bc + op.tokens * 2 * op.state_size), dS(S + op.state()), states(dS + op.state()),
        rest(states + (op.tokens + kChunk - 1) / kChunk * op.state()) {}

  static int64_t floats(const StateSpace& op) {
    const int64_t states = 2 + (op.tokens + kChunk - 1) / kChunk;
    return op.tokens * 2 * op.state_size + states * op.state() + Chunk::floats(op) + ChunkSlopes::floats(op);
  }

  /** A chunk that does not begin its document begins at a multiple of kChunk. */
  float* before(int64_t token) const { return states + token / kChunk * op.state(); }

  WeightSlopes run(int64_t head, const StateSpaceSlopes& slopes, bool adds) const {
    Chunk chunk(op, head, rest);
    ChunkSlopes gradients(op, rest + Chunk::floats(op));
    const size_t bytes = static_cast<size_t>(op.state()) * sizeof(float);
    WeightSlopes totals;
    for (int64_t d = 0; d < documents.count; d++) {
      const int64_t start = documents.ends[d], end = documents.ends[d + 1];
      std::memset(S, 0, bytes);
      for (int64_t t = start; t < end; t = chunkEnd(t, end)) {
        if (t != start) std::memcpy(before(t), S, bytes);
        chunk.load(t, chunkEnd(t, end) - t);
        chunk.advance(S);
      }
      std::memset(S, 0, bytes);
      std::memset(dS, 0, bytes);
      for (int64_t last = end; last > start; last = chunk.first) {
        const int64_t aligned = (last - 1) / kChunk * kChunk, first = aligned > start ? aligned : start;
        chunk.load(first, last - first);
        chunk.attend();
        gradients.run(chunk, first == start ? S : before(first), dS, slopes, adds, &totals);
      }
    }
    return totals;
  }
};

/** dB and dC of all groups, from those of their parts. */
void addParts(const Launch& launch, const StateSpace& op, const float* space, int64_t parts, float* d_xbc) {
  const int64_t columns = 2 * op.state_size;
  parallelFor(*launch.context, op.tokens, grainFor(op.groups * parts * columns), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++)
      for (int64_t group = 0; group < op.groups; group++) {
        float* to = d_xbc + t * op.columns + op.values() + group * op.state_size;
        for (int64_t c = 0; c < columns; c++) {
          const float* from = space + group * parts * BackwardHead::floats(op) + t * columns + c;
          float sum = 0;
          for (int64_t part = 0; part < parts; part++) sum += from[part * BackwardHead::floats(op)];
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
  float *y = launch.outputs[0].f32(), *space = reinterpret_cast<float*>(launch.workspace);
  parallelFor(*launch.context, op.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      float* S = space + head * (Chunk::floats(op) + op.state());
      Chunk chunk(op, head, S + op.state());
      for (int64_t d = 0; d < documents.count; d++) {
        std::memset(S, 0, static_cast<size_t>(op.state()) * sizeof *S);
        runHead(chunk, S, documents.ends[d], documents.ends[d + 1], y);
      }
    }
  });
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
      const BackwardHead backward(op, documents, space + p * BackwardHead::floats(op));
      const StateSpaceSlopes slopes{launch.inputs[0].f32(), d_xbc, launch.outputs[1].f32(), backward.d_bc};
      for (int64_t i = p % parts; i < op.headsOfGroup(); i += parts) {
        const int64_t head = p / parts * op.headsOfGroup() + i;
        const WeightSlopes totals = backward.run(head, slopes, i >= parts);
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
  float *y = launch.outputs[0].f32(), *states = launch.outputs[1].f32(), *space = reinterpret_cast<float*>(launch.workspace);
  const bool begins = op.tokens > 0 && launch.inputs[6].i32()[0] == 0;
  parallelFor(*launch.context, op.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      float* S = states + head * op.state();
      if (begins) std::memset(S, 0, static_cast<size_t>(op.state()) * sizeof *S);
      Chunk chunk(op, head, space + head * Chunk::floats(op));
      runHead(chunk, S, 0, op.tokens, y);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
