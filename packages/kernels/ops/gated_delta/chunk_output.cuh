#pragma once

#include "chunk_tokens.cuh"

namespace anneal::cuda {
namespace {

constexpr int kOutputBytes = 3 * kTileBytes + kStateBytes;

/** A block a window of a head: out = γ q S + P δ. */
__global__ void __launch_bounds__(kWindowThreads, 2) outputKernel(GatedDelta<Bf16> of, Packed packed, ChunkParts parts, Bf16* out) {
  extern __shared__ __align__(128) char shared[];
  __shared__ ChunkTokens its;
  const int64_t window = blockIdx.x, start = window * kWindow, column = int64_t{blockIdx.y} * kHead;
  const int head = static_cast<int>(blockIdx.y), count = static_cast<int>(min(of.tokens - start, int64_t{kWindow})), row = warpRow();
  const uint32_t q = sharedAddress(shared), k = q + kTileBytes, changes = k + kTileBytes, S = changes + kTileBytes;
  copyRows<kHead>(shared, of.query(0, of.keyHeadOf(head)), of.columns, start, of.tokens);
  copyRows<kHead>(shared + kTileBytes, of.key(0, of.keyHeadOf(head)), of.columns, start, of.tokens);
  copyRows<kHead>(shared + 2 * kTileBytes, parts.changes + column, of.values(), start, of.tokens);
  its.findDocuments(packed, start, count);
  __syncthreads();
  const bool hasBefore = its.reachesBack(0);
  if (hasBefore) copyState(S, parts.S, window, of.heads, head);
  commitCopies();
  its.findHead(of, start, count, head);
  waitForCopies();
  __syncthreads();
  its.findScales(of, shared, shared + kTileBytes);
  __syncthreads();
  float sums[kHalf / 8][4] = {};
  if (hasBefore) {
    addProduct<kHead>(sums, RowsOf<kHead>(q, row), Down<kHead>(S, warpHalf() * kHalf));
    forPairs(sums, [&](int h, int, float& one, float& other) {
      const float factor = its.fromBefore[row + pairRow(h)] * its.queryScale[row + pairRow(h)];
      one *= factor, other *= factor;
    });
  }
  float P[kWindow / 8][4] = {};
  addProduct<kHead>(P, RowsOf<kHead>(q, row), Across<kHead>(k, 0));
  forPairs(P, [&](int h, int j, float& one, float& other) {
    const float factor = its.queryScale[row + pairRow(h)];
    one *= factor * its.keyScale[j] * its.between(row + pairRow(h), j);
    other *= factor * its.keyScale[j + 1] * its.between(row + pairRow(h), j + 1);
  });
  addProduct<kWindow>(sums, SumsOf{P}, Down<kHead>(changes, warpHalf() * kHalf));
  __syncthreads();
  storeHalf(sums, q, out, of.values(), column, start, of.tokens);
}

}  // namespace
}  // namespace anneal::cuda
