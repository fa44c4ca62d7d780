#pragma once

#include <cstdint>

#include "../../host_device.h"
#include "shape.h"

namespace anneal::cuda {

/**
 * Blocks work on tiles: at most `size` consecutive rows of one document. Where documents end is known only on the device, so a grid
 * has a slot for every tile there could be: document d owns the slots begin(d) / size + d and on, up to those of d + 1, which are
 * never fewer than its tiles. The few slots without a tile end at once.
 */
ANNEAL_HOST_DEVICE constexpr int firstSlot(int document_begin, int document, int size) { return document_begin / size + document; }

ANNEAL_HOST_DEVICE constexpr int slotCount(int tokens, int documents, int size) { return firstSlot(tokens, documents, size); }

/** Rows begin … end - 1 of a document; row i sees itself as key i + shift, and no key before key_begin. Empty where the slot has no tile. */
struct Tile {
  int begin, end;
  int document_end;
  int key_begin, shift;
};

ANNEAL_HOST_DEVICE inline Tile tileOf(int slot, const int32_t* cu_seqlens, int documents, int tokens, int size) {
  int low = 0, high = documents - 1;
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (firstSlot(cu_seqlens[middle], middle, size) <= slot) low = middle;
    else high = middle - 1;
  }
  const int document_begin = cu_seqlens[low], last = cu_seqlens[low + 1], document_end = last < tokens ? last : tokens;
  const int begin = document_begin + (slot - firstSlot(document_begin, low, size)) * size;
  return {begin, begin + size < document_end ? begin + size : document_end, document_end, document_begin, 0};
}

#ifdef __CUDACC__
/** First token of a document, or of one of several sequences. */
__device__ inline int firstToken(const AttentionShape& shape, int document) {
  if (!shape.sequences) return shape.cu_seqlens[document];
  return document < shape.documents ? shape.sequences[4 * document] : shape.tokens;
}

/**
 * Tokens begin … end - 1 of a sequence as a tile of its `size` first ones from `row` on: keys are rows of the cache, of which those of a prompt
 * follow one another. A single token is no tile: it may follow an answer, see decode.cu. What would leave the cache is none either.
 */
__device__ inline Tile sequenceTile(const AttentionShape& shape, int sequence, int begin, int end, int row, int size) {
  const int prompt_row = shape.sequences[4 * sequence + 1], shift = prompt_row + shape.positions[max(begin, 0)] - begin;
  const bool isInside = 0 <= begin && 0 <= prompt_row && prompt_row <= begin + shift && end + shift <= shape.cache_rows;
  if (end - begin <= 1 || !isInside) return {0, 0, 0, 0, 0};
  return {row, min(row + size, end), end, prompt_row, shift};
}

/** The same by the 32 lanes of a warp, of which each looks at another document: a block waits once for memory instead of at each halving. */
__device__ inline Tile tileOf(int slot, const AttentionShape& shape, int size) {
  if (!shape.positions || shape.sequences) {
    const int lane = threadIdx.x % 32;
    for (int low = 0, count = shape.documents;;) {
      const int step = (count + 31) / 32, document = low + min(lane * step, count - 1);
      const int begin = firstToken(shape, document), end = min(firstToken(shape, document + 1), shape.tokens);
      const int found = __popc(__ballot_sync(~0u, lane * step < count && firstSlot(begin, document, size) <= slot)) - 1;
      if (step == 1) {
        const int document_begin = __shfl_sync(~0u, begin, found), document_end = __shfl_sync(~0u, end, found);
        const int row = document_begin + (slot - firstSlot(document_begin, low + found, size)) * size;
        if (shape.sequences) return sequenceTile(shape, low + found, document_begin, document_end, row, size);
        return {row, min(row + size, document_end), document_end, document_begin, 0};
      }
      low += found * step, count = min(step, count - found * step);
    }
  }
  const int begin = slot * size, most = shape.cache_rows - shape.tokens;
  const int start = max(0, min(shape.positions[0], most));
  return {begin, min(begin + size, shape.tokens), shape.tokens, 0, start};
}
#endif

/** Slots of a launch; one sequence against a cache is one document, of several each is one. */
inline int slotCount(const AttentionShape& shape, int size) {
  return shape.positions && !shape.sequences ? (shape.tokens + size - 1) / size : slotCount(shape.tokens, shape.documents, size);
}

/** First key that the row sees. */
ANNEAL_HOST_DEVICE inline int firstKey(const Tile& tile, int row, int window) {
  const int oldest = row + tile.shift - window + 1;
  return window > 0 && oldest > tile.key_begin ? oldest : tile.key_begin;
}

}  // namespace anneal::cuda
