#pragma once

#include "attention.h"
#include "tiles.h"

namespace anneal::cuda {

/** The token that a block answers, and where the rows of its sequence lie. */
struct Query {
  int token, position, first;  // the last and the first position that it sees
  int prompt_row, prompt_tokens, answer_row, cache_rows;

  __device__ int64_t rowOf(int at) const {
    const int row = at < prompt_tokens ? prompt_row + at : answer_row + at - prompt_tokens;
    return max(0, min(row, cache_rows - 1));
  }
};

/** Token -1 where the sequence has several tokens, which are answered elsewhere. */
__device__ inline Query queryOf(const AttentionShape& s, int sequence) {
  Query query{0, 0, 0, 0, s.cache_rows, 0, s.cache_rows};
  if (s.sequences) {
    const int32_t* of = s.sequences + 4 * sequence;
    query.token = of[0];
    if (firstToken(s, sequence + 1) - query.token != 1 || query.token < 0 || query.token >= s.tokens) return {-1};
    query.prompt_row = of[1], query.prompt_tokens = of[2], query.answer_row = of[3];
  }
  query.position = max(0, min(s.positions[query.token], s.cache_rows - 1));
  query.first = s.window > 0 ? max(0, query.position - s.window + 1) : 0;
  return query;
}

}  // namespace anneal::cuda
