#pragma once

#include "cuda/window_product.cuh"

namespace anneal::cuda {
namespace {

/** What both sweeps found, and what the gradients of a window are made of. */
template <typename A>
struct WindowInputs {
  const A* dout;
  const float *differences, *dchanges;
  KeptStates states, dstates;
};

template <typename A>
struct WindowResults {
  A *dqkv, *da, *db;
  float* dnormed;  // [tokens, 2 · keyHeads · keySize]: of the normed queries and keys
  double* parts;   // [windows, heads, 2]: of the gradients of decay and shift
};

/** The tokens of a window, and a head's products of them. */
struct WindowTokens : WindowDecays, WindowSlopes {
  double partial[kWindowThreads / kWarp];
  float beta[kWindow], queryScale[kWindow], keyScale[kWindow];
  float dP[kWindow][kWindow], dL[kWindow][kWindow];
  Slices slices;
};

/**
 * With d_ij the decay from token j to i, out_i = Σ_j d_ij (q_i·k_j) change_j + …, and v_i - … - Σ_{j<i} d_ij (k_i·k_j) change_j is what change_i is
 * β_i times of. A window has what its tokens do to each other as products, and all else through the states at its ends. Documents that
 * begin or end in it have nothing to do with these.
 */
template <typename A>
struct Window {
  const GatedDelta<A>& of;
  const WindowInputs<A>& in;
  WindowTokens& its;
  int64_t start;
  int count, keyHead;

  __device__ float query(int i, int c) const {
    return i < count && c < of.keySize ? toFloat(of.query(start + i, keyHead)[c]) * its.queryScale[i] : 0;
  }
  __device__ float key(int i, int c) const {
    return i < count && c < of.keySize ? toFloat(of.key(start + i, keyHead)[c]) * its.keyScale[i] : 0;
  }
  __device__ int64_t valueAt(int i, int head, int c) const { return (start + i) * of.values() + int64_t{head} * of.valueSize + c; }
  __device__ float dout(int i, int head, int c) const { return i < count ? toFloat(in.dout[valueAt(i, head, c)]) : 0; }
  __device__ float change(int i, int head, int c) const { return i < count ? its.beta[i] * in.differences[valueAt(i, head, c)] : 0; }
  __device__ float dchange(int i, int head, int c) const { return i < count ? in.dchanges[valueAt(i, head, c)] : 0; }

  __device__ void findTokens(const Packed& packed) const {
    for (int i = static_cast<int>(threadIdx.x) / 16; i < kWindow; i += kWindowThreads / 16) {
      float qq = 0, kk = 0;
      if (i < count)
        for (int c = static_cast<int>(threadIdx.x) % 16; c < of.keySize; c += 16) {
          const float q = toFloat(of.query(start + i, keyHead)[c]), k = toFloat(of.key(start + i, keyHead)[c]);
          qq = fmaf(q, q, qq);
          kk = fmaf(k, k, kk);
        }
      qq = joinLanes<16>(qq, Sum{});
      kk = joinLanes<16>(kk, Sum{});
      if (threadIdx.x % 16 != 0) continue;
      its.queryScale[i] = of.queryScale(qq);
      its.keyScale[i] = of.keyScale(kk);
    }
    its.findDocuments(packed, start, count);
  }

  __device__ void findDecays(int head) const {
    const int i = static_cast<int>(threadIdx.x);
    if (i < kWindow) {
      its.beta[i] = i < count ? of.beta(start + i, head) : 0;
      its.written[i] = 0;
    }
    its.find([&](int token) { return token < count ? of.g(start + token, head) : 0.0f; });
  }

  /**
   * dP = d · dout·change for tokens up to one, dL = -β d · dchange·change for those before it. What they give with q·k and k·k is a slope of the
   * difference of two sums of g: it counts at one and, negative, at the other, as one number, so that all sums over both are rid of it.
   */
  __device__ void findProducts(int head) const {
    float ofOut[kOwnRows][4] = {}, ofChange[kOwnRows][4] = {}, qk[kOwnRows][4] = {}, kk[kOwnRows][4] = {};
    const auto changes = [&](int c, int j) { return change(j, head, c); };
    const auto keys = [&](int c, int j) { return key(j, c); };
    addProduct<Along::inner, Along::inner, kWindow>(ofOut, its.slices, of.valueSize, [&](int i, int c) { return dout(i, head, c); }, changes);
    addProduct<Along::inner, Along::inner, kWindow>(ofChange, its.slices, of.valueSize, [&](int i, int c) { return dchange(i, head, c); }, changes);
    addProduct<Along::inner, Along::inner, kWindow>(qk, its.slices, of.keySize, [&](int i, int c) { return query(i, c); }, keys);
    addProduct<Along::inner, Along::inner, kWindow>(kk, its.slices, of.keySize, [&](int i, int c) { return key(i, c); }, keys);
#pragma unroll
    for (int r = 0; r < kOwnRows; r++)
#pragma unroll
      for (int c = 0; c < 4; c++) {
        const int i = ownRow(r), j = ownColumn(c);
        const float decay = its.between(i, j);
        ofOut[r][c] *= decay;
        ofChange[r][c] *= j < i ? -its.beta[i] * decay : 0;
        its.dP[i][j] = j < i ? ofOut[r][c] * qk[r][c] + ofChange[r][c] * kk[r][c] : 0;
      }
    __syncthreads();
    its.findPairs(its.dP);
    __syncthreads();
#pragma unroll
    for (int r = 0; r < kOwnRows; r++)
#pragma unroll
      for (int c = 0; c < 4; c++) {
        its.dP[ownRow(r)][ownColumn(c)] = ofOut[r][c];
        its.dL[ownRow(r)][ownColumn(c)] = ofChange[r][c];
      }
  }

  /** Adds the tile to what was given before, of queries (which = 0) or keys (1). */
  template <int N>
  __device__ void give(const float (&tile)[kOwnRows][N], int column, int which, bool isFirst, float* dnormed) const {
#pragma unroll
    for (int r = 0; r < kOwnRows; r++)
#pragma unroll
      for (int j = 0; j < N; j++) {
        const int i = ownRow(r), c = column + ownColumn(j);
        if (i >= count || c >= of.keySize) continue;
        float* to = dnormed + ((start + i) * 2 * of.keyHeads + which * of.keyHeads + keyHead) * of.keySize + c;
        *to = tile[r][j] + (isFirst ? 0 : *to);
      }
  }

  /** The gradients of the normed queries and keys, and of the sums of g through the states at both ends. */
  __device__ void findQueriesKeys(int head, bool isFirst, float* dnormed) const {
    const bool hasBefore = its.reachesBack(0), hasNext = its.goesOn(kWindow - 1);
    for (int column = 0; column < of.keySize; column += kTileColumns) {
      const auto stateOf = [&](const KeptStates& states, int64_t token) {
        return [&states, token, head, column](int c, int r) {
          return column + r < states.rows ? states.at(token, head)[int64_t{c} * states.rows + column + r] : 0.0f;
        };
      };
      const auto queries = [&](int j, int c) { return query(j, column + c); };
      const auto keys = [&](int j, int c) { return key(j, column + c); };
      {
        float dq[kOwnRows][kTileColumns / 16] = {};
        if (hasBefore) {
          addProduct<Along::inner, Along::columns, kTileColumns>(
              dq, its.slices, of.valueSize, [&](int i, int c) { return its.fromBefore[i] * dout(i, head, c); }, stateOf(in.states, start));
          addDots(its.slopes, dq, queries);
        }
        addProduct<Along::inner, Along::columns, kTileColumns>(dq, its.slices, kWindow, [&](int i, int j) { return its.dP[i][j]; }, keys);
        give(dq, column, 0, isFirst, dnormed);
      }
      {
        float dk[kOwnRows][kTileColumns / 16] = {};  // of what is known of a key
        if (hasBefore) {
          addProduct<Along::inner, Along::columns, kTileColumns>(
              dk, its.slices, of.valueSize, [&](int i, int c) { return -its.beta[i] * its.fromBefore[i] * dchange(i, head, c); },
              stateOf(in.states, start));
          addDots(its.slopes, dk, keys);
        }
        addProduct<Along::inner, Along::columns, kTileColumns>(dk, its.slices, kWindow, [&](int i, int j) { return its.dL[i][j]; }, keys);
        give(dk, column, 1, isFirst, dnormed);
      }
      {
        float dk[kOwnRows][kTileColumns / 16] = {};  // of what is written under it
        if (hasNext) {
          addProduct<Along::inner, Along::columns, kTileColumns>(
              dk, its.slices, of.valueSize, [&](int i, int c) { return its.toNext[i] * change(i, head, c); }, stateOf(in.dstates, start + kWindow));
          addDots(its.written, dk, keys);
        }
        addProduct<Along::rows, Along::columns, kTileColumns>(dk, its.slices, kWindow, [&](int i, int j) { return its.dP[j][i]; }, queries);
        addProduct<Along::rows, Along::columns, kTileColumns>(dk, its.slices, kWindow, [&](int i, int j) { return its.dL[j][i]; }, keys);
        give(dk, column, 1, false, dnormed);
      }
    }
  }

  /** The slope of all decays of the window alike, for every thread: of the state before it, where that goes on in the state after it. */
  __device__ double findCarried(int head) const {
    double sum = 0;
    if (its.carried() != 0) {
      const float *S = in.states.at(start, head), *dS = in.dstates.at(start + kWindow, head);
      for (int e = static_cast<int>(threadIdx.x); e < of.valueSize * in.states.rows; e += kWindowThreads)
        sum += static_cast<double>(S[e] * dS[e]);
    }
    return joinBlock<kWindowThreads>(sum, its.partial, Sum{}) * static_cast<double>(its.carried());
  }

  __device__ void findGates(int head, const WindowResults<A>& to) const {
    for (int i = static_cast<int>(threadIdx.x) / 16; i < kWindow; i += kWindowThreads / 16) {
      float dbeta = 0;
      if (i < count)
        for (int c = static_cast<int>(threadIdx.x) % 16; c < of.valueSize; c += 16)
          dbeta = fmaf(dchange(i, head, c), in.differences[valueAt(i, head, c)], dbeta);
      dbeta = joinLanes<16>(dbeta, Sum{});
      if (threadIdx.x % 16 == 0 && i < count) to.db[(start + i) * of.heads + head] = fromFloat<A>(dbeta * its.beta[i] * (1.0f - its.beta[i]));
    }
    const double carried = findCarried(head);
    double decay = 0, shift = 0;
    const int i = static_cast<int>(threadIdx.x);
    if (i < count) {
      const double dg = its.ofToken(i, its, carried);
      const float slope = sigmoid(of.gate(start + i, head));
      const float da = static_cast<float>(dg) * -expf(of.decay[head]) * slope;
      to.da[(start + i) * of.heads + head] = fromFloat<A>(da);
      decay = dg * its.g[i];
      shift = da;
    }
    decay = joinBlock<kWindowThreads>(decay, its.partial, Sum{});
    shift = joinBlock<kWindowThreads>(shift, its.partial, Sum{});
    double* part = to.parts + (start / kWindow * of.heads + head) * 2;
    if (threadIdx.x == 0) part[0] = decay, part[1] = shift;
  }

  /** From the gradients of scale · x, scale being 1 / |x| but for a constant, to those of x. */
  __device__ void undoLengths(const WindowResults<A>& to) const {
    for (int both = static_cast<int>(threadIdx.x) / 16; both < 2 * kWindow; both += kWindowThreads / 16) {
      const int i = both / 2, which = both % 2;
      const bool isReal = i < count;
      const A* x = which == 0 ? of.query(start + i, keyHead) : of.key(start + i, keyHead);
      const float scale = which == 0 ? its.queryScale[i] : its.keyScale[i];
      const float squares = which == 0 ? scale * scale * static_cast<float>(of.keySize) : scale * scale;  // 1 / |x|²
      const float* dy = to.dnormed + ((start + i) * 2 * of.keyHeads + which * of.keyHeads + keyHead) * of.keySize;
      float along = 0;
      for (int c = static_cast<int>(threadIdx.x) % 16; isReal && c < of.keySize; c += 16) along = fmaf(toFloat(x[c]), dy[c], along);
      along = joinLanes<16>(along, Sum{}) * squares;
      A* dx = to.dqkv + (x - of.qkv);
      for (int c = static_cast<int>(threadIdx.x) % 16; isReal && c < of.keySize; c += 16)
        dx[c] = fromFloat<A>(scale * (dy[c] - along * toFloat(x[c])));
    }
  }
};

/** A block a window of a key head: the heads that share it add up in their order. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads)
    windowGradientsKernel(GatedDelta<A> of, Packed packed, WindowInputs<A> in, WindowResults<A> to) {
  __shared__ WindowTokens its;
  const int64_t start = int64_t{blockIdx.x} * kWindow;
  const int count = static_cast<int>(min(of.tokens - start, int64_t{kWindow})), keyHead = static_cast<int>(blockIdx.y);
  const Window<A> window{of, in, its, start, count, keyHead};
  window.findTokens(packed);
  const int group = of.heads / of.keyHeads;
  for (int head = keyHead * group; head < (keyHead + 1) * group; head++) {
    __syncthreads();
    window.findDecays(head);
    __syncthreads();
    window.findProducts(head);
    window.findQueriesKeys(head, head == keyHead * group, to.dnormed);
    __syncthreads();
    window.findGates(head, to);
  }
  window.undoLengths(to);
}

}  // namespace
}  // namespace anneal::cuda
