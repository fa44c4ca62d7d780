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
};

/** Writes out, and the log-sum-exp of query i of head g to lse[g · lse_stride + i] unless lse is null. */
template <Cells cells, typename Element>
void attend(const QueryBlock<Element>& block, Scratch scratch, float* lse, int64_t lse_stride) {
  const int size = block.head_size;
  float* packed_keys = scratch.floats(panelCells(size, kKeyBlock));
  float* packed_values = scratch.floats(panelCells(kKeyBlock, size));
  float* room = scratch.floats(kTileRows * roundUp(larger(size, kKeyBlock), Vec::width));
  float* scores = scratch.floats(kTileRows * kKeyBlock);
  float* maxima = scratch.floats(block.heads * block.queries);
  float* totals = scratch.floats(block.heads * block.queries);
  for (int64_t i = 0; i < block.heads * block.queries; i++) maxima[i] = -INFINITY, totals[i] = 0;
  for (int64_t i = 0; i < block.queries; i++) std::memset(block.out + i * block.stride, 0, block.heads * size * sizeof(float));

  prefetchRows(block.q, block.stride, block.queries, block.heads * size);
  const int64_t end_key = block.first_position + block.queries;
  int64_t first_key = block.window > 0 ? larger(block.first_position - block.window + 1, 0) : 0;
  for (; first_key < end_key; first_key += kKeyBlock) {
    const int64_t keys = smaller(end_key - first_key, kKeyBlock);
    const Panels keys_transposed =
        packTransposed<cells>(block.k + first_key * block.key_stride, block.key_stride, size, keys, packed_keys);
    const Panels values = packRows<cells>(block.v + first_key * block.key_stride, block.key_stride, keys, size, packed_values);
    const int64_t next = first_key + keys, next_keys = smaller(end_key - next, kKeyBlock);
    prefetchRows(block.k + next * block.key_stride, block.key_stride, next_keys, size);
    prefetchRows(block.v + next * block.key_stride, block.key_stride, next_keys, size);

    for (int64_t unit = 0; unit < block.heads * roundUp(block.queries, kTileRows); unit += kTileRows) {
      const int64_t head = unit / roundUp(block.queries, kTileRows), first = unit % roundUp(block.queries, kTileRows);
      const int rows = clampCount(block.queries - first, kTileRows);
      const int64_t position = block.first_position + first;
      const int begin = visibleKeys(position, block.window, first_key, keys).first / kTileColumns * kTileColumns;
      const int end = visibleKeys(position + rows - 1, block.window, first_key, keys).end;
      if (end <= begin) continue;
      const int columns = static_cast<int>(roundUp(end - begin, Vec::width));

      const float* q = block.q + first * block.stride + head * size;
      float* out = block.out + first * block.stride + head * size;
      multiply<cells>(stripOfRows<cells>(q, block.stride, rows, size, room), keys_transposed, 0, cellsOf<cells>(size), begin,
                      end, block.scale, false, scores, kKeyBlock);
      for (int r = 0; r < rows; r++) {
        Visible visible = visibleKeys(position + r, block.window, first_key, keys);
        visible.first -= begin, visible.end -= begin;
        float* row = scores + r * kKeyBlock + begin;
        if (visible.end <= visible.first) {
          std::memset(row, 0, columns * sizeof(float));
          continue;
        }
        const int64_t i = head * block.queries + first + r;
        const float shrink = softmaxRow(row, columns, visible, maxima[i], totals[i]);
        if (shrink != 1) scaleRow(out + r * block.stride, size, shrink);
      }
      multiply<cells>(stripOfRows<cells>(scores + begin, kKeyBlock, rows, end - begin, room), values, cellsOf<cells>(begin),
                      cellsOf<cells>(end - begin), 0, size, 1, true, out, block.stride);
    }
  }
  for (int64_t head = 0; head < block.heads; head++) {
    for (int64_t i = 0; i < block.queries; i++) {
      const int64_t row = head * block.queries + i;
      scaleRow(block.out + i * block.stride + head * size, size, 1 / totals[row]);
      if (lse) lse[head * lse_stride + i] = maxima[row] + ::logf(totals[row]);
    }
  }
}

}  // namespace anneal::ANNEAL_ISA
