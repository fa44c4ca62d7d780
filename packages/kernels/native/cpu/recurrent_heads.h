#pragma once

#include "carried_states.h"
#include "documents.h"
#include "parallel.h"
#include "recurrence.h"

// Heads that go through the tokens chunk by chunk. `Chunk` is what an op does within one: load(first, n, S) finds what the next state
// takes, attend() what its outputs take besides; output(S, out) and advance(S) use them. `Op` gives tokens, heads, and floats of a state.

namespace anneal::ANNEAL_ISA {

/** From S before the tokens to that after them. Chunks end at multiples of kChunk from `origin` on. */
template <class Chunk>
void runHead(Chunk& chunk, float* S, int64_t origin, int64_t begin, int64_t end, float* out) {
  for (int64_t t = begin, next; t < end; t = next) {
    next = origin + chunkEnd(t - origin, end - origin);
    chunk.load(t, next - t, S);
    chunk.attend();
    chunk.output(S, out);
    chunk.advance(S);
  }
}

/** Every document begins with a state of zeros. @param space of each head: S and a chunk */
template <class Chunk, class Op>
void runHeads(Context& context, const Op& op, const Documents& documents, float* space, float* out) {
  parallelFor(context, op.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      float* S = space + head * (Chunk::floats(op) + op.state());
      Chunk chunk(op, head, S + op.state());
      for (int64_t d = 0; d < documents.count; d++) {
        std::memset(S, 0, static_cast<size_t>(op.state()) * sizeof *S);
        runHead(chunk, S, 0, documents.ends[d], documents.ends[d + 1], out);
      }
    }
  });
}

/** `states` of slots are those after the tokens before, and then those after these. Each sequence is divided as if it were alone. */
template <class Chunk, class Op>
void continueHeads(Context& context, const Op& op, const CarriedStates& carried, float* states, float* space, float* out) {
  const size_t bytes = static_cast<size_t>(op.state()) * sizeof *states;
  parallelFor(context, op.heads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) {
      Chunk chunk(op, head, space + head * Chunk::floats(op));
      for (int64_t i = 0; i < carried.count(); i++) {
        const CarriedSequence sequence = carried.at(i);
        float* S = states + (sequence.slot * op.heads + head) * op.state();
        if (sequence.begins) std::memset(S, 0, bytes);
        runHead(chunk, S, sequence.first, sequence.first, sequence.end, out);
        for (int64_t slot = 1; slot < sequence.slots; slot++) std::memcpy(S + slot * op.heads * op.state(), S, bytes);
      }
    }
  });
}

/** Two passes over a head: for the states before its chunks, then back through `ChunkSlopes`, which give what weights of it get. */
template <class Op, class Chunk, class ChunkSlopes>
struct BackwardHead {
  const Op& op;
  const Documents& documents;
  float *S, *dS, *states, *rest;

  BackwardHead(const Op& op, const Documents& documents, float* space)
      : op(op), documents(documents), S(space), dS(S + op.state()), states(dS + op.state()), rest(states + chunks(op) * op.state()) {}

  static int64_t chunks(const Op& op) { return (op.tokens + kChunk - 1) / kChunk; }
  static int64_t floats(const Op& op) { return (2 + chunks(op)) * op.state() + Chunk::floats(op) + ChunkSlopes::floats(op); }

  /** A chunk that does not begin its document begins at a multiple of kChunk. */
  float* before(int64_t token) const { return states + token / kChunk * op.state(); }

  template <class Slopes>
  auto run(int64_t head, const Slopes& slopes, bool adds) const {
    Chunk chunk(op, head, rest);
    ChunkSlopes gradients(op, rest + Chunk::floats(op));
    const size_t bytes = static_cast<size_t>(op.state()) * sizeof(float);
    typename ChunkSlopes::Totals totals;
    for (int64_t d = 0; d < documents.count; d++) {
      const int64_t start = documents.ends[d], end = documents.ends[d + 1];
      std::memset(S, 0, bytes);
      for (int64_t t = start; t < end; t = chunkEnd(t, end)) {
        if (t != start) std::memcpy(before(t), S, bytes);
        chunk.load(t, chunkEnd(t, end) - t, S);
        chunk.advance(S);
      }
      std::memset(S, 0, bytes);
      std::memset(dS, 0, bytes);
      for (int64_t last = end; last > start; last = chunk.first) {
        const int64_t aligned = (last - 1) / kChunk * kChunk, first = aligned > start ? aligned : start;
        const float* state = first == start ? S : before(first);
        chunk.load(first, last - first, state);
        chunk.attend();
        gradients.run(chunk, state, dS, slopes, adds, totals);
      }
    }
    return totals;
  }
};

}  // namespace anneal::ANNEAL_ISA
