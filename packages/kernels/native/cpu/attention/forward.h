#pragma once

#include "softmax.h"

// A block of queries against all keys that they see, block by block with a running maximum (FlashAttention). The queries of
// all heads that share a key head go together, so that a block of keys is packed once for them.

namespace anneal::ANNEAL_ISA {

/** The queries of one key head: query i of head g at q + i · stride + g · head_size, at position first_position + i. */
template <typename Element>
struct QueryBlock {
  const float* q;
  float* out;
  int64_t stride;
  int64_t queries, first_position;
  int heads, head_size;
  const Element *k, *v;  // key j of the document or cache at k + j · key_stride
  int64_t key_stride;
  float scale;
  int window;
  float soft_cap;
  const float* sinks;  // of these heads, or null
};

/** Scores of a strip of queries, the first at `position`, become weights; `out` and the running totals shrink to match. */
inline void softmaxStrip(float* scores, int rows, int columns, int64_t position, int window, float soft_cap, int64_t first_key,
                         int64_t keys, float* maxima, float* totals, float* out, int64_t out_stride, int size) {
  for (int r = 0; r < rows; r++, scores += kKeyBlock, out += out_stride) {
    const Visible visible = visibleKeys(position + r, window, first_key, keys);
    if (visible.end <= visible.first) {
      std::memset(scores, 0, columns * sizeof(float));
      continue;
    }
    capScores(scores, columns, soft_cap);
    const float shrink = softmaxRow(scores, columns, visible, maxima[r], totals[r]);
    if (shrink != 1) scaleRow(out, size, shrink);
  }
}

static_assert(sizeof(float) * (2 * kMaxHeadSize * kKeyBlock + kAmxRows * (kMaxHeadSize + kKeyBlock) + 2 * kMaxHeads * kQueryBlock) + 1024 <=
                  kScratchBytesPerThread,
              "room for what attend() takes");

/** Writes out, and the log-sum-exp of query i of head g to lse[g · lse_stride + i] unless lse is null. */
template <Cells cells, typename Element>
void attend(const QueryBlock<Element>& block, Scratch scratch, float* lse, int64_t lse_stride) {
  const int size = block.head_size;
  const int64_t stride = block.stride, key_stride = block.key_stride, queries = block.queries;
  float* packed_keys = scratch.floats(panelCells(size, kKeyBlock));
  float* packed_values = scratch.floats(panelCells(kKeyBlock, size));
  float* room = scratch.floats(tileRows<cells>() * roundUp(larger(size, kKeyBlock), Vec::width));
  float* scores = scratch.floats(tileRows<cells>() * kKeyBlock);
  float* maxima = scratch.floats(block.heads * queries);
  float* totals = scratch.floats(block.heads * queries);
  for (int64_t head = 0; head < block.heads; head++)
    for (int64_t i = 0; i < queries; i++) beginSoftmax(block.sinks, head, maxima[head * queries + i], totals[head * queries + i]);
  for (int64_t i = 0; i < queries; i++) std::memset(block.out + i * stride, 0, block.heads * size * sizeof(float));

  prefetchRows(block.q, stride, queries, block.heads * size);
  const int64_t end_key = block.first_position + queries;
  int64_t first_key = block.window > 0 ? larger(block.first_position - block.window + 1, 0) : 0;
  for (; first_key < end_key; first_key += kKeyBlock) {
    const int64_t keys = smaller(end_key - first_key, kKeyBlock);
    const Element *k = block.k + first_key * key_stride, *v = block.v + first_key * key_stride;
    const Panels keys_transposed = packTransposed<cells>(k, key_stride, size, keys, packed_keys);
    const Panels values = packRows<cells>(v, key_stride, keys, size, packed_values);
    const int64_t next_keys = smaller(end_key - first_key - keys, kKeyBlock);
    prefetchRows(k + keys * key_stride, key_stride, next_keys, size);
    prefetchRows(v + keys * key_stride, key_stride, next_keys, size);

    for (int64_t head = 0; head < block.heads; head++) {
      for (int64_t first = 0; first < queries; first += tileRows<cells>()) {
        const int rows = clampCount(queries - first, tileRows<cells>());
        const int64_t position = block.first_position + first, row = head * queries + first;
        const int begin = visibleKeys(position, block.window, first_key, keys).first / tileColumns<cells>() * tileColumns<cells>();
        const int end = visibleKeys(position + rows - 1, block.window, first_key, keys).end;
        if (end <= begin) continue;
        float* out = block.out + first * stride + head * size;
        const Strip q = stripOfRows<cells>(block.q + first * stride + head * size, stride, rows, size, room);
        multiply<cells>(q, keys_transposed, 0, cellsFor<cells>(size), begin, end, block.scale, false, scores, kKeyBlock);
        softmaxStrip(scores + begin, rows, static_cast<int>(roundUp(end - begin, Vec::width)), position, block.window,
                     block.soft_cap, first_key + begin, keys - begin, maxima + row, totals + row, out, stride, size);
        const Strip weights = stripOfRows<cells>(scores + begin, kKeyBlock, rows, end - begin, room);
        multiply<cells>(weights, values, cellsFor<cells>(begin), cellsFor<cells>(end - begin), 0, size, 1, true, out, stride);
      }
    }
  }
  for (int64_t head = 0; head < block.heads; head++) {
    for (int64_t i = 0; i < queries; i++) {
      const int64_t row = head * queries + i;
      scaleRow(block.out + i * stride + head * size, size, 1 / totals[row]);
      if (lse) lse[head * lse_stride + i] = maxima[row] + ::logf(totals[row]);
    }
  }
}

}  // namespace anneal::ANNEAL_ISA
