#pragma once

#include <numeric>

#include "blocks.h"
#include "softmax.h"

// The gradients, tile by tile: a tile is one block of queries by one block of keys of a document, for the heads that share
// a key head. It adds to dQ of its queries and to dK and dV of its keys. Round r takes the tiles r blocks below the diagonal:
// no two of them share a block, so they may run on any threads, and every sum still grows in one order.

namespace anneal::ANNEAL_ISA {

constexpr int kTile = 96;  // queries and keys
template <Cells cells>
constexpr bool kTileIsWhole = kTile % tileRows<cells>() == 0 && kTile % tileColumns<cells>() == 0;
static_assert(kTileIsWhole<Cells::exact> && kTileIsWhole<Cells::tiles>);
constexpr int64_t kStripsAhead = 3;   // how early the rows of a strip are asked for
constexpr int64_t kAliasingPad = 32;  // floats between blocks of scores, which else lie a multiple of 4 KiB apart

struct Backward {
  const Context* context;
  const AttentionShape* shape;
  const float *q, *k, *v, *out, *lse, *d_out;
  float *dq, *dk, *dv;
  int64_t round;

  int group() const { return shape->heads / shape->kv_heads; }
  int64_t stride() const { return int64_t{shape->heads} * shape->head_size; }
  int64_t keyStride() const { return int64_t{shape->kv_heads} * shape->head_size; }
  int64_t at(int64_t token, int64_t head) const { return token * stride() + head * shape->head_size; }
  int64_t atKey(int64_t token, int64_t kv_head) const { return token * keyStride() + kv_head * shape->head_size; }
};

struct Tile {
  int64_t document_first;         // token
  int64_t first_query, queries;   // positions in the document
  int64_t first_key, keys;
};

/** Rounds that any tile of the document takes part in. */
inline int64_t roundsOf(const AttentionShape& shape, int64_t document) {
  const int64_t length = shape.cu_seqlens[document + 1] - shape.cu_seqlens[document];
  const int64_t blocks = (length + kTile - 1) / kTile;
  // Round r looks back at least (r - 1) · kTile + 1 keys.
  return shape.window > 0 ? smaller(blocks, (shape.window - 2 + kTile) / kTile + 1) : blocks;
}

/** Tiles of the document in one round, for one key head. */
inline int64_t tilesOf(const AttentionShape& shape, int64_t document, int64_t round) {
  const int64_t length = shape.cu_seqlens[document + 1] - shape.cu_seqlens[document];
  return round < roundsOf(shape, document) ? (length + kTile - 1) / kTile - round : 0;
}

inline Tile tileOf(const AttentionShape& shape, int64_t round, int64_t index) {
  int64_t document = 0;
  for (; index >= tilesOf(shape, document, round); document++) index -= tilesOf(shape, document, round);
  const int64_t first = shape.cu_seqlens[document], length = shape.cu_seqlens[document + 1] - first;
  const int64_t key = index * kTile, query = (index + round) * kTile;
  return {first, query, smaller(length - query, kTile), key, smaller(length - key, kTile)};
}

/** Σ out · d_out of a query: what the gradient of a softmax subtracts. d_out is rounded as for d(weights), lest they differ. */
template <Cells cells>
float deltaOf(const float* out, const float* d_out, int size) {
  Vec products = Vec::zero();
  for (int c = 0; c < size; c += Vec::width) {
    const int lanes = clampCount(size - c, Vec::width);
    const Vec gradient = Vec::load(d_out + c, lanes);
    products = fma(Vec::load(out + c, lanes), cells == Cells::exact ? gradient : roundToBf16(gradient), products);
  }
  return sum(products);
}

/**
 * Of one row, from scores (already scaled) and d(weights): weights = e^(score - lse), and d(score) = weight · (d(weight) -
 * delta), times the slope of the soft cap, in place of d(weights). Zero where the query does not see the key.
 */
inline void weightsAndGradient(float* scores, float* d_weights, int columns, Visible visible, float lse, float delta, float soft_cap) {
  capScores(scores, columns, soft_cap);
  const int first = static_cast<int>(smaller(visible.first, columns)), end = static_cast<int>(larger(visible.end, 0));
  for (int j = 0; j < first; j++) scores[j] = -INFINITY, d_weights[j] = 0;
  for (int j = end; j < columns; j++) scores[j] = -INFINITY, d_weights[j] = 0;
  for (int j = 0; j < columns; j += Vec::width) {
    const Vec score = Vec::load(scores + j), weight = exp(score - Vec::set(lse));
    weight.store(scores + j);
    Vec gradient = weight * (Vec::load(d_weights + j) - Vec::set(delta));
    if (soft_cap != 0) {
      const Vec one = Vec::set(1.0f), share = score * Vec::set(1 / soft_cap);
      gradient *= one - min(one, share * share);  // an unseen score is -infinity
    }
    gradient.store(d_weights + j);
  }
}

/** Asks for the rows of a strip that comes up soon: strips are numbered through the heads of the tile. */
template <Cells cells>
void prefetchStrip(const Backward& call, const Tile& tile, int64_t kv_head, int64_t index) {
  constexpr int64_t most = tileRows<cells>();
  const int64_t strips = (tile.queries + most - 1) / most, head = index / strips, first = index % strips * most;
  if (head >= call.group()) return;
  const int64_t at = call.at(tile.document_first + tile.first_query + first, kv_head * call.group() + head);
  const int64_t rows = smaller(tile.queries - first, most);
  prefetchRows(call.q + at, call.stride(), rows, call.shape->head_size);
  prefetchRows(call.d_out + at, call.stride(), rows, call.shape->head_size);
  prefetchRows(call.out + at, call.stride(), rows, call.shape->head_size);
}

template <Cells cells>
void tileGradients(const Backward& call, const Tile& tile, int64_t kv_head, Scratch scratch) {
  // Strips of keys, kRows wide, begin where scores do, too: they read whole strips of these.
  constexpr int kRows = tileRows<cells>(), kColumns = std::lcm(kRows, tileColumns<cells>());
  const AttentionShape& shape = *call.shape;
  const int size = shape.head_size;
  const int64_t stride = call.stride(), key_stride = call.keyStride(), cells_size = cellsFor<cells>(size);
  const int64_t first_token = tile.document_first + tile.first_query;
  const int64_t at_key = call.atKey(tile.document_first + tile.first_key, kv_head);
  const float *k = call.k + at_key, *v = call.v + at_key;
  float* packed_keys = scratch.floats(panelCells(size, kTile));
  float* packed_values = scratch.floats(panelCells(size, kTile));
  const Panels keys_transposed = packTransposed<cells>(k, key_stride, size, tile.keys, packed_keys);
  const Panels values_transposed = packTransposed<cells>(v, key_stride, size, tile.keys, packed_values);
  const Panels key_rows = packRows<cells>(k, key_stride, tile.keys, size, scratch.floats(panelCells(kTile, size)));
  float* packed_queries = scratch.floats(panelCells(kTile, size));
  float* packed_d_out = scratch.floats(panelCells(kTile, size));
  float* room = scratch.floats(kRows * roundUp(larger(size, kTile), Vec::width));
  float* weights = scratch.floats(kTile * kTile + kAliasingPad);
  float* d_scores = scratch.floats(kTile * kTile);

  const int64_t strips = (tile.queries + kRows - 1) / kRows;
  for (int64_t strip = 0; strip < kStripsAhead; strip++) prefetchStrip<cells>(call, tile, kv_head, strip);
  for (int64_t head = kv_head * call.group(); head < (kv_head + 1) * call.group(); head++) {
    const int64_t at = call.at(first_token, head);
    for (int64_t first = 0; first < tile.queries; first += kRows) {
      const int rows = clampCount(tile.queries - first, kRows);
      const int64_t position = tile.first_query + first, at_strip = at + first * stride;
      const int begin = visibleKeys(position, shape.window, tile.first_key, tile.keys).first / kColumns * kColumns;
      const int end = visibleKeys(position + rows - 1, shape.window, tile.first_key, tile.keys).end;
      prefetchStrip<cells>(call, tile, kv_head, (head - kv_head * call.group()) * strips + first / kRows + kStripsAhead);
      if (end <= begin) continue;
      float *weight_rows = weights + first * kTile, *d_score_rows = d_scores + first * kTile;
      float delta[kRows];
      for (int r = 0; r < rows; r++) {
        delta[r] = deltaOf<cells>(call.out + at_strip + r * stride, call.d_out + at_strip + r * stride, size);
      }
      multiply<cells>(stripOfRows<cells>(call.q + at_strip, stride, rows, size, room), keys_transposed, 0, cells_size, begin,
                      end, shape.scale, false, weight_rows, kTile);
      multiply<cells>(stripOfRows<cells>(call.d_out + at_strip, stride, rows, size, room), values_transposed, 0, cells_size,
                      begin, end, 1, false, d_score_rows, kTile);
      for (int r = 0; r < rows; r++) {
        const Visible visible = visibleKeys(position + r, shape.window, tile.first_key + begin, tile.keys - begin);
        weightsAndGradient(weight_rows + r * kTile + begin, d_score_rows + r * kTile + begin,
                           static_cast<int>(roundUp(end - begin, Vec::width)), visible,
                           call.lse[head * shape.tokens + first_token + first + r], delta[r], shape.soft_cap);
      }
      multiply<cells>(stripOfRows<cells>(d_score_rows + begin, kTile, rows, end - begin, room), key_rows, cellsFor<cells>(begin),
                      cellsFor<cells>(end - begin), 0, size, shape.scale, call.round > 0, call.dq + at_strip, stride);
    }

    const bool accumulate = call.round > 0 || head > kv_head * call.group();
    const Panels query_rows = packRows<cells>(call.q + at, stride, tile.queries, size, packed_queries);
    const Panels d_out_rows = packRows<cells>(call.d_out + at, stride, tile.queries, size, packed_d_out);
    for (int64_t first = 0; first < tile.keys; first += kRows) {
      const int rows = clampCount(tile.keys - first, kRows);
      const int64_t position = tile.first_key + first, at_strip = at_key + first * key_stride;
      // The queries that see any of these keys, from the strip on to which the first one belongs.
      const int64_t begin = larger(position - tile.first_query, 0) / kRows * kRows;
      const int64_t last = position + rows - 1 + shape.window - tile.first_query;
      const int64_t end = shape.window > 0 ? smaller(last, tile.queries) : tile.queries;
      if (end <= begin) continue;
      const Strip weight = stripOfColumns<cells>(weights + begin * kTile + first, kTile, rows, end - begin, room);
      multiply<cells>(weight, d_out_rows, cellsFor<cells>(begin), cellsFor<cells>(end - begin), 0, size, 1, accumulate,
                      call.dv + at_strip, key_stride);
      const Strip d_score = stripOfColumns<cells>(d_scores + begin * kTile + first, kTile, rows, end - begin, room);
      multiply<cells>(d_score, query_rows, cellsFor<cells>(begin), cellsFor<cells>(end - begin), 0, size, shape.scale, accumulate,
                      call.dk + at_strip, key_stride);
    }
  }
}

}  // namespace anneal::ANNEAL_ISA
