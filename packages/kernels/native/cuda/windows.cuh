#pragma once

#include "cuda/gates.cuh"
#include "cuda/reduce.cuh"

// Ops whose heads hand on a state from token to token divide packed tokens into windows: what the tokens of one do to each other are products,
// and all else goes through the states at its ends. Documents that begin or end in a window have nothing to do with these.

namespace anneal::cuda {

constexpr int kWindow = 64;
constexpr int kWindowThreads = 256;

/** Documents one behind the other; `ends` null: all tokens are one, which goes on before and after them. */
struct Packed {
  const int32_t* ends;
  int documents;
  int64_t tokens;

  __device__ int64_t begin(int document) const { return ends ? max(int64_t{ends[document]}, int64_t{0}) : 0; }
  __device__ int64_t end(int document) const { return ends ? min(int64_t{ends[document + 1]}, tokens) : tokens; }

  /** The document of a token. */
  __device__ int at(int64_t token) const {
    int low = 0, high = documents - 1;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (ends[middle] <= token)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }
};

inline Packed packedOf(const Tensor& ends, int64_t tokens) { return {ends.i32(), static_cast<int>(ends.shape[0]) - 1, tokens}; }

/** In shared memory: the tokens of a window, and what is left of a head's state after each. */
struct WindowDecays {
  double sums[kWindow];       // of g from the window's begin on: differences of large ones are exponents
  float g[kWindow];           // logarithms of decays
  float fromBefore[kWindow];  // how much of the state before the window is left after the token: 0 in documents that begin here
  float toNext[kWindow];      // how much of what a token writes is left after the window: 0 in documents that end here
  int begin[kWindow], end[kWindow];  // of the token's document, in the window; -1 and kWindow + 1: before and after it

  __device__ bool reachesBack(int i) const { return begin[i] < 0; }
  __device__ bool goesOn(int i) const { return end[i] > kWindow; }
  /** How much of the state before the window is left after it. */
  __device__ float carried() const { return goesOn(kWindow - 1) ? fromBefore[kWindow - 1] : 0; }
  /** How much of what token j writes is left after token i. */
  __device__ float between(int i, int j) const { return j <= i && begin[i] == begin[j] ? expf(static_cast<float>(sums[i] - sums[j])) : 0; }

  /** By kWindow threads or more, for tokens start … start + count - 1; what is beyond them belongs to no document. */
  __device__ void findDocuments(const Packed& packed, int64_t start, int count) {
    const int i = static_cast<int>(threadIdx.x);
    if (i >= kWindow) return;
    begin[i] = end[i] = kWindow;
    if (!packed.ends) begin[i] = -1, end[i] = kWindow + 1;
    if (!packed.ends || i >= count) return;
    const int document = packed.at(start + i);
    begin[i] = static_cast<int>(max(packed.begin(document) - start, int64_t{-1}));
    end[i] = static_cast<int>(min(packed.end(document) - start, int64_t{kWindow + 1}));
  }

  /** After findDocuments, by all threads of the block: given(i) is g of token i, 0 beyond the last. */
  template <typename Given>
  __device__ void find(Given given) {
    const int i = static_cast<int>(threadIdx.x);
    if (i < kWindow) g[i] = given(i);
    __syncthreads();
    if (i < kWarp) {  // two tokens each
      double sum = static_cast<double>(g[2 * i]) + static_cast<double>(g[2 * i + 1]);
#pragma unroll
      for (int distance = 1; distance < kWarp; distance *= 2) {
        const double before = __shfl_up_sync(0xffffffffu, sum, distance);
        if (i >= distance) sum += before;
      }
      sums[2 * i] = sum - static_cast<double>(g[2 * i + 1]);
      sums[2 * i + 1] = sum;
    }
    __syncthreads();
    if (i < kWindow) {
      fromBefore[i] = reachesBack(i) ? expf(static_cast<float>(sums[i])) : 0;
      toNext[i] = goesOn(i) ? expf(static_cast<float>(sums[kWindow - 1] - sums[i])) : 0;
    }
    __syncthreads();
  }
};

/** What the gradients of decays are made of. */
struct WindowSlopes {
  double slopes[kWindow];   // of the sums of g
  float written[kWindow];   // of what is left of a token's writing after the window

  /** slopes = Σ over pairs(i, j) of tokens j < i, of differences of two sums: at one as they are, negative at the other. */
  __device__ void findPairs(const float (&pairs)[kWindow][kWindow]) {
    if (threadIdx.x >= kWindow) return;
    const int i = static_cast<int>(threadIdx.x);
    double slope = 0;
    for (int step = 1; step < kWindow; step++) {  // in turns against conflicts of banks
      const int other = (i + step) % kWindow;
      slope += static_cast<double>(pairs[i][other]) - static_cast<double>(pairs[other][i]);
    }
    slopes[i] = slope;
  }

  /** The gradient of a token's g. @param carried that of the logarithm of WindowDecays::carried */
  __device__ double ofToken(int i, const WindowDecays& its, double carried) const {
    double dg = its.goesOn(i) ? carried : 0;  // all that was written before the token and is read after it
    for (int t = max(its.begin[i], 0); t < i; t++) dg += static_cast<double>(written[t]);
    for (int t = i; t < min(its.end[i], kWindow); t++) dg += slopes[t];
    return dg;
  }
};

/** [heads] each; null where it is not wanted. */
template <int Sums>
struct HeadTotals {
  float* totals[Sums];
};

/** A block a head: totals += its parts of all windows, [windows, heads, Sums], in one order. */
template <int Sums>
__global__ void __launch_bounds__(kWindowThreads) addWindowPartsKernel(const double* parts, int windows, HeadTotals<Sums> to) {
  __shared__ double partial[kWindowThreads / kWarp];
  const int head = static_cast<int>(blockIdx.x), heads = static_cast<int>(gridDim.x);
  double sums[Sums] = {};
  for (int w = static_cast<int>(threadIdx.x); w < windows; w += kWindowThreads)
#pragma unroll
    for (int which = 0; which < Sums; which++) sums[which] += parts[(int64_t{w} * heads + head) * Sums + which];
#pragma unroll
  for (int which = 0; which < Sums; which++) {
    const double sum = joinBlock<kWindowThreads>(sums[which], partial, Sum{});
    if (threadIdx.x == 0 && to.totals[which]) to.totals[which][head] += static_cast<float>(sum);
  }
}

template <int Sums>
void addWindowParts(cudaStream_t stream, const double* parts, int64_t windows, int heads, const HeadTotals<Sums>& to) {
  bool isWanted = false;
  for (const float* total : to.totals) isWanted |= total != nullptr;
  if (isWanted) addWindowPartsKernel<Sums><<<static_cast<unsigned>(heads), kWindowThreads, 0, stream>>>(parts, static_cast<int>(windows), to);
}

}  // namespace anneal::cuda
