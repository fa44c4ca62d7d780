#pragma once

#include "../kernel.h"

namespace anneal::ANNEAL_ISA {

/** How a table divides the tokens of a call among sequences: a row each, which begins with the sequence's first token. */
class SequenceSpans {
 public:
  /** @param table i32[N, width], or absent: all tokens are of one sequence */
  SequenceSpans(int64_t tokens, const Tensor& table, int64_t width)
      : tokens_(tokens), width_(width), table_(table.absent() ? nullptr : table.i32()), count_(table.absent() ? (tokens > 0 ? 1 : 0) : table.shape[0]) {}

  int64_t count() const { return count_; }
  /** Of this sequence; null without a table. */
  const int32_t* row(int64_t i) const { return table_ ? table_ + width_ * i : nullptr; }
  int64_t first(int64_t i) const { return table_ ? row(i)[0] : 0; }
  int64_t end(int64_t i) const { return table_ && i + 1 < count_ ? row(i + 1)[0] : tokens_; }
  /** Whether the first token of this sequence is one of the call's. */
  bool begins(int64_t i) const { return first(i) >= 0 && first(i) < tokens_; }

  /** What is wrong with this sequence, or null. Each begins where the one before ends, so that all of them leave no token out. */
  const char* check(int64_t i) const {
    const bool follows = i == 0 ? first(0) == 0 : first(i) >= 0;
    return follows && end(i) > first(i) && end(i) <= tokens_ ? nullptr : "sequences do not divide the tokens";
  }

 private:
  int64_t tokens_, width_;
  const int32_t* table_;
  int64_t count_;
};

}  // namespace anneal::ANNEAL_ISA
