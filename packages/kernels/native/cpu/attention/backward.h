#pragma once

#include "blocks.h"

// The gradients, in two passes which share no sum: for each block of queries dQ over all keys they see, and for each block of
// keys dK and dV over all queries that see them. The scores are computed in both; in return every sum has one owner and a
// fixed order, with any number of threads.

namespace anneal::ANNEAL_ISA {

struct Backward {
  const Context* context;
  const AttentionShape* shape;
  const float *q, *k, *v, *out, *lse, *d_out;
  float *dq, *dk, *dv;

  int group() const { return shape->heads / shape->kv_heads; }
  int64_t stride() const { return int64_t{shape->heads} * shape->head_size; }
  int64_t keyStride() const { return int64_t{shape->kv_heads} * shape->head_size; }
  int64_t at(int64_t token, int64_t head) const { return token * stride() + head * shape->head_size; }
  int64_t atKey(int64_t token, int64_t kv_head) const { return token * keyStride() + kv_head * shape->head_size; }
};

/** Σ out · d_out of one query of one head: what the softmax's gradient subtracts. */
inline float rowDelta(const Backward& call, int64_t token, int64_t head) {
  const float *out = call.out + call.at(token, head), *d_out = call.d_out + call.at(token, head);
  Vec products = Vec::zero();
  for (int c = 0; c < call.shape->head_size; c += Vec::width) {
    const int lanes = clampCount(call.shape->head_size - c, Vec::width);
    products = fma(Vec::load(out + c, lanes), Vec::load(d_out + c, lanes), products);
  }
  return sum(products);
}

/**
 * Of one row, from scores (already scaled) and d(weights): weights = e^(score - lse), and d(score) = weight · (d(weight) -
 * delta) in place of d(weights). Zero where the query does not see the key.
 */
inline void weightsAndGradient(float* scores, float* d_weights, int columns, Visible visible, float lse, float delta) {
  for (int j = 0; j < smaller(visible.first, columns); j++) scores[j] = -INFINITY, d_weights[j] = 0;
  for (int j = static_cast<int>(larger(visible.end, 0)); j < columns; j++) scores[j] = -INFINITY, d_weights[j] = 0;
  for (int j = 0; j < columns; j += Vec::width) {
    const Vec weight = exp(Vec::load(scores + j) - Vec::set(lse));
    weight.store(scores + j);
    (weight * (Vec::load(d_weights + j) - Vec::set(delta))).store(d_weights + j);
  }
}

template <Cells cells>
void queryGradient(const Backward& call, const Segment& segment, int64_t kv_head, Scratch scratch) {
  const AttentionShape& shape = *call.shape;
  const int size = shape.head_size;
  float* packed_keys = scratch.floats(panelCells(size, kKeyBlock));
  float* packed_values = scratch.floats(panelCells(size, kKeyBlock));
  float* packed_key_rows = scratch.floats(panelCells(kKeyBlock, size));
  float* room = scratch.floats(kTileRows * roundUp(larger(size, kKeyBlock), Vec::width));
  float* scores = scratch.floats(kTileRows * kKeyBlock);
  float* d_scores = scratch.floats(kTileRows * kKeyBlock);

  const int64_t first_position = segment.first - segment.document_first, queries = segment.end - segment.first;
  const int64_t end_key = segment.end - segment.document_first, head_rows = roundUp(queries, kTileRows);
  const int64_t oldest_key = shape.window > 0 ? larger(first_position - shape.window + 1, 0) : 0;
  for (int64_t first_key = oldest_key; first_key < end_key; first_key += kKeyBlock) {
    const int64_t keys = smaller(end_key - first_key, kKeyBlock);
    const int64_t at_key = call.atKey(segment.document_first + first_key, kv_head);
    const Panels keys_transposed = packTransposed<cells>(call.k + at_key, call.keyStride(), size, keys, packed_keys);
    const Panels values_transposed = packTransposed<cells>(call.v + at_key, call.keyStride(), size, keys, packed_values);
    const Panels key_rows = packRows<cells>(call.k + at_key, call.keyStride(), keys, size, packed_key_rows);

    for (int64_t unit = 0; unit < call.group() * head_rows; unit += kTileRows) {
      const int64_t head = kv_head * call.group() + unit / head_rows, first = unit % head_rows;
      const int rows = clampCount(queries - first, kTileRows);
      const int64_t token = segment.first + first, position = first_position + first;
      const int begin = visibleKeys(position, shape.window, first_key, keys).first / kTileColumns * kTileColumns;
      const int end = visibleKeys(position + rows - 1, shape.window, first_key, keys).end;
      if (end <= begin) continue;

      const Strip q = stripOfRows<cells>(call.q + call.at(token, head), call.stride(), rows, size, room);
      multiply<cells>(q, keys_transposed, 0, cellsOf<cells>(size), begin, end, shape.scale, false, scores, kKeyBlock);
      const Strip d_out = stripOfRows<cells>(call.d_out + call.at(token, head), call.stride(), rows, size, room);
      multiply<cells>(d_out, values_transposed, 0, cellsOf<cells>(size), begin, end, 1, false, d_scores, kKeyBlock);
      for (int r = 0; r < rows; r++) {
        Visible visible = visibleKeys(position + r, shape.window, first_key, keys);
        visible.first -= begin, visible.end -= begin;
        const int columns = static_cast<int>(roundUp(end - begin, Vec::width));
        weightsAndGradient(scores + r * kKeyBlock + begin, d_scores + r * kKeyBlock + begin, columns, visible,
                           call.lse[head * shape.tokens + token + r], rowDelta(call, token + r, head));
      }
      const Strip d_score = stripOfRows<cells>(d_scores + begin, kKeyBlock, rows, end - begin, room);
      multiply<cells>(d_score, key_rows, cellsOf<cells>(begin), cellsOf<cells>(end - begin), 0, size, shape.scale,
                      first_key > oldest_key, call.dq + call.at(token, head), call.stride());
    }
  }
}

template <Cells cells>
void keyGradient(const Backward& call, const Segment& segment, int64_t kv_head, Scratch scratch) {
  const AttentionShape& shape = *call.shape;
  const int size = shape.head_size;
  float* packed_keys = scratch.floats(panelCells(size, kKeyBlock));
  float* packed_values = scratch.floats(panelCells(size, kKeyBlock));
  float* packed_queries = scratch.floats(panelCells(kQueryBlock, size));
  float* packed_d_out = scratch.floats(panelCells(kQueryBlock, size));
  float* room = scratch.floats(kTileRows * roundUp(larger(size, kQueryBlock), Vec::width));
  float* weights = scratch.floats(kQueryBlock * kKeyBlock);
  float* d_scores = scratch.floats(kQueryBlock * kKeyBlock);

  const int64_t first_key = segment.first - segment.document_first, keys = segment.end - segment.first;
  const int64_t document_length = segment.document_end - segment.document_first;
  const int64_t end_query = shape.window > 0 ? smaller(first_key + keys + shape.window - 1, document_length) : document_length;
  const int64_t at_key = call.atKey(segment.first, kv_head);
  const Panels keys_transposed = packTransposed<cells>(call.k + at_key, call.keyStride(), size, keys, packed_keys);
  const Panels values_transposed = packTransposed<cells>(call.v + at_key, call.keyStride(), size, keys, packed_values);

  for (int64_t first_query = first_key; first_query < end_query; first_query += kQueryBlock) {
    const int64_t queries = smaller(end_query - first_query, kQueryBlock), token = segment.document_first + first_query;
    // The causal edge: strip r of keys is seen from query r · kTileRows of the first block on.
    const int seen = visibleKeys(first_query + queries - 1, shape.window, first_key, keys).end;
    for (int64_t head = kv_head * call.group(); head < (kv_head + 1) * call.group(); head++) {
      const bool accumulate = first_query > first_key || head > kv_head * call.group();
      const float *q = call.q + call.at(token, head), *d_out = call.d_out + call.at(token, head);
      const Panels query_rows = packRows<cells>(q, call.stride(), queries, size, packed_queries);
      const Panels d_out_rows = packRows<cells>(d_out, call.stride(), queries, size, packed_d_out);
      for (int64_t first = 0; first < queries; first += kTileRows) {
        const int rows = clampCount(queries - first, kTileRows);
        float *weight_rows = weights + first * kKeyBlock, *d_score_rows = d_scores + first * kKeyBlock;
        multiply<cells>(stripOfRows<cells>(q + first * call.stride(), call.stride(), rows, size, room), keys_transposed, 0,
                        cellsOf<cells>(size), 0, seen, shape.scale, false, weight_rows, kKeyBlock);
        multiply<cells>(stripOfRows<cells>(d_out + first * call.stride(), call.stride(), rows, size, room), values_transposed,
                        0, cellsOf<cells>(size), 0, seen, 1, false, d_score_rows, kKeyBlock);
        for (int r = 0; r < rows; r++) {
          const Visible visible = visibleKeys(first_query + first + r, shape.window, first_key, keys);
          weightsAndGradient(weight_rows + r * kKeyBlock, d_score_rows + r * kKeyBlock,
                             static_cast<int>(roundUp(seen, Vec::width)), visible,
                             call.lse[head * shape.tokens + token + first + r], rowDelta(call, token + first + r, head));
        }
      }
      for (int64_t first = 0; first < keys; first += kTileRows) {
        const int rows = clampCount(keys - first, kTileRows);
        const int64_t at = at_key + first * call.keyStride();
        // Keys that no query of this block sees still get their first, empty sum.
        if (first >= seen) {
          for (int r = 0; r < rows && !accumulate; r++) {
            std::memset(call.dk + at + r * call.keyStride(), 0, size * sizeof(float));
            std::memset(call.dv + at + r * call.keyStride(), 0, size * sizeof(float));
          }
          continue;
        }
        const Strip weight = stripOfColumns<cells>(weights + first, kKeyBlock, rows, queries, room);
        multiply<cells>(weight, d_out_rows, 0, cellsOf<cells>(queries), 0, size, 1, accumulate, call.dv + at, call.keyStride());
        const Strip d_score = stripOfColumns<cells>(d_scores + first, kKeyBlock, rows, queries, room);
        multiply<cells>(d_score, query_rows, 0, cellsOf<cells>(queries), 0, size, shape.scale, accumulate, call.dk + at,
                        call.keyStride());
      }
    }
  }
}

}  // namespace anneal::ANNEAL_ISA
