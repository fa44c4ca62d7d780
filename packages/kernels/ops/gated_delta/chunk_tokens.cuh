#pragma once

#include "cuda/window_tiles.cuh"
#include "inputs.cuh"

// The gated delta rule on tensor cores, for bf16 and heads of kHead: windows are the chunks of chunk.h.
// With d_ij the decay from token j to i, L = β d k·kᵀ below the diagonal, T = (1 + L)⁻¹, P = d q·kᵀ up to the diagonal:
//
//   changes δ = U - W S, U = T β v, W = T β γ k;             S ← carried · S + (toNext k)ᵀ δ
//   their gradients D = Y + X dS, Y = Tᵀ Pᵀ dout, X = Tᵀ toNext k;   dS ← carried · dS + (γ q)ᵀ dout - (β γ k)ᵀ D
//
// U, W, X and Y are made of all windows at once, S and dS go from window to window, and all else is again made of all
// windows at once. Yang, Kautz, Hatamizadeh 2024. States and decays are float32; factors of products are rounded.
// Queries and keys are factors as they are given: what brings them to their length is in the other factor or the sums.

namespace anneal::cuda {
namespace {

constexpr int kHead = 128;  // elements of a head's keys and values
constexpr int kTileBytes = kWindow * kHead * 2, kStateBytes = kHead * kHead * 2;
constexpr int kHalf = kHead / 2;  // columns of a warp

/** Of a token in the sweeps: for what it writes (toNext) and reads by query (γ) and key (-β γ), with their lengths. */
struct alignas(16) TokenFactors {
  float write, readQuery, readKey, carried;  // the last of the window's state, for all its tokens alike
};

/** What windows are made of before the sweeps, and what these make of it. */
struct ChunkParts {
  Bf16 *W, *changes, *X, *dchanges;  // [tokens, heads · kHead]; changes begin as U, and their gradients as Y
  Bf16 *S, *dS;  // [windows, heads, kHead, kHead]: before and after windows, where a document goes on
  TokenFactors* factors;             // [heads, windows · kWindow]
};

/** In shared memory: the tokens of a window and head. */
struct ChunkTokens : WindowDecays {
  float beta[kWindow], queryScale[kWindow], keyScale[kWindow];

  __device__ void findHead(const GatedDelta<Bf16>& of, int64_t start, int count, int head) {
    const int i = static_cast<int>(threadIdx.x);
    if (i < kWindow) beta[i] = i < count ? of.beta(start + i, head) : 0;
    find([&](int token) { return token < count ? of.g(start + token, head) : 0.0f; });
  }

  /** From tiles; `queries` may be null. */
  __device__ void findScales(const GatedDelta<Bf16>& of, char* queries, char* keys) {
    const int row = static_cast<int>(threadIdx.x) / 4, part = static_cast<int>(threadIdx.x) % 4;
    const float ofKey = joinLanes<4>(squares(keys, row, part), Sum{});
    if (part == 0) keyScale[row] = of.keyScale(ofKey);
    if (!queries) return;
    const float ofQuery = joinLanes<4>(squares(queries, row, part), Sum{});
    if (part == 0) queryScale[row] = of.queryScale(ofQuery);
  }

 private:
  __device__ static float squares(char* tile, int row, int part) {
    float sum = 0;
#pragma unroll
    for (int chunk = part; chunk < kHead / 8; chunk += 4) {
      float x[8];
      unpackChunk(chunkIn<kHead>(tile, row, chunk), x);
#pragma unroll
      for (float value : x) sum = fmaf(value, value, sum);
    }
    return sum;
  }
};

__device__ inline void copyState(uint32_t to, const Bf16* states, int64_t window, int heads, int head) {
  copyTile<kHead, kHead, kWindowThreads>(to, states + (window * heads + head) * kHead * kHead, kHead, 0, kHead);
}

/** Writes a warp's part of a [kWindow, kHead] product; `scratch` is a tile, whose halves are tiles of kHalf. */
__device__ inline void storeHalf(const float (&sums)[kHalf / 8][4], uint32_t scratch, Bf16* to, int64_t stride, int64_t column, int64_t start,
                                 int64_t tokens) {
  const float one[1][2] = {{1, 1}};
  const float(&rows)[1][kHalf / 8][4] = reinterpret_cast<const float(&)[1][kHalf / 8][4]>(sums);
  storeRows<kHalf, 1>(rows, one, scratch + warpHalf() * kTileBytes / 2 + warpRow() * kHalf * 2, to + column + warpHalf() * kHalf, static_cast<int>(stride),
                      static_cast<int>(start) + warpRow(), static_cast<int>(tokens));
}

}  // namespace
}  // namespace anneal::cuda
