#pragma once

#include "../../kernel.h"

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
      : positions_(positions.i32()), tokens_(positions.shape[0]), sequences_(sequences.absent() ? nullptr : sequences.i32()),
        count_(sequences.absent() ? (tokens_ > 0 ? 1 : 0) : sequences.shape[0]), rows_(rows) {}

  int64_t count() const { return count_; }
  /** Whether a sequence may lie in two places of the cache. */
  bool several() const { return sequences_ != nullptr; }

  CachedSequence at(int64_t i) const {
    if (!sequences_) return {0, tokens_, positions_[0], 0, rows_, rows_};
    const int32_t *own = sequences_ + 4 * i, *next = own + 4;
    const int64_t first = own[0], end = i + 1 < count_ ? next[0] : tokens_;
    return {first, end - first, first >= 0 && first < tokens_ ? positions_[first] : 0, own[1], own[2], own[3]};
  }

  /** What is wrong with them, or null. */
  const char* check() const {
    for (int64_t i = 0; i < count_; i++) {
      const CachedSequence s = at(i);
      if (s.first < 0 || s.tokens < 1 || s.first + s.tokens > tokens_ || (i == 0 && s.first != 0)) return "sequences do not divide the tokens";
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
  int64_t tokens_;
  const int32_t* sequences_;
  int64_t count_, rows_;
};

}  // namespace anneal::ANNEAL_ISA
