#pragma once

#include "../sequence_spans.h"

// Where the tokens of a call lie in a cache: of one sequence, or of several as op.ts describes `sequences`.

namespace anneal::ANNEAL_ISA {

struct CachedSequence {
  int64_t first, tokens, start;  // its tokens in the call, and the position of the first
  int64_t prompt_row, prompt_tokens, answer_row;

  int64_t rowOf(int64_t position) const {
    return position < prompt_tokens ? prompt_row + position : answer_row + position - prompt_tokens;
  }
};

/** Several tokens of one sequence are consecutive rows: those of a prompt. */
class CachedSequences {
 public:
  /** @param positions i32[T] @param sequences i32[N,4], or absent: all tokens are of one sequence */
  CachedSequences(const Tensor& positions, const Tensor& sequences, int64_t rows)
      : positions_(positions.i32()), spans_(positions.shape[0], sequences, 4), several_(!sequences.absent()), rows_(rows) {}

  int64_t count() const { return spans_.count(); }
  /** Whether a sequence may lie in two places of the cache. */
  bool several() const { return several_; }

  CachedSequence at(int64_t i) const {
    const int64_t first = spans_.first(i), tokens = spans_.end(i) - first, start = spans_.begins(i) ? positions_[first] : 0;
    if (const int32_t* own = spans_.row(i)) return {first, tokens, start, own[1], own[2], own[3]};
    return {first, tokens, start, 0, rows_, rows_};
  }

  /** What is wrong with them, or null. */
  const char* check() const {
    for (int64_t i = 0; i < count(); i++) {
      if (const char* problem = spans_.check(i)) return problem;
      const CachedSequence s = at(i);
      const int64_t last = s.start + s.tokens - 1;
      if (s.start < 0 || s.rowOf(s.start) < 0 || s.rowOf(last) >= rows_ || s.rowOf(last) < 0) return "the context is longer than the cache";
      if (s.prompt_row < 0 || s.prompt_row + s.prompt_tokens > rows_ || s.prompt_tokens < 0 || s.answer_row < 0) return "a sequence lies outside the cache";
      if (s.tokens > 1 && last >= s.prompt_tokens) return "several tokens of an answer at a time";
      for (int64_t t = 1; t < s.tokens; t++)
        if (positions_[s.first + t] != s.start + t) return "positions do not follow each other";
    }
    return nullptr;
  }

 private:
  const int32_t* positions_;
  SequenceSpans spans_;
  bool several_;
  int64_t rows_;
};

}  // namespace anneal::ANNEAL_ISA
