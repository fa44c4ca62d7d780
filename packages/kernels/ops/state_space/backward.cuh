#pragma once

#include "chunk_gradients.cuh"
#include "forward.cuh"

namespace anneal::cuda {
namespace {

/** So many parts the heads of a group are divided into: each adds up its own gradients of B and C. MOST_PARTS in op.ts. */
constexpr int kMostParts = 8;

/** The tokens of a window, and a head's products of them. */
struct BackwardTokens : HeadTokens, WindowSlopes {
  double partial[kWindowThreads / kWarp];
  float dsteps[kWindow], skips[kWindow];
  float P[kWindow][kWindow];  // decays · scores
  float dP[kWindow][kWindow];
  Slices slices;
};

/**
 * With v = step · x: y_i = Σ_j P_ij v_j + fromBefore_i S C_i + skip · x_i with P = d · scores, and the next state is
 * carried · S + Σ_j toNext_j v_j B_jᵀ.
 */
template <typename A>
struct BackwardWindow : Window<A> {
  const BackwardInputs<A>& in;
  const BackwardResults<A>& to;
  BackwardTokens& its;
  int64_t index;
  int group, part;
  using Window<A>::of;
  using Window<A>::start;
  using Window<A>::count;

  __device__ BackwardWindow(const StateSpace<A>& of, const BackwardInputs<A>& in, const BackwardResults<A>& to, BackwardTokens& its, int64_t index, int group,
                            int part)
      : Window<A>(of, index), in(in), to(to), its(its), index(index), group(group), part(part) {}

  __device__ float dy(int i, int head, int c) const { return this->value(in.dy, i, head, c); }

  __device__ void load(int head) const {
    if (threadIdx.x < kWindow) its.written[threadIdx.x] = 0, its.dsteps[threadIdx.x] = its.skips[threadIdx.x] = 0;
    its.HeadTokens::load(*this, head);
    const float* scores = in.scores + (index * of.groups + group) * kWindow * kWindow;
    for (int e = static_cast<int>(threadIdx.x); e < kWindow * kWindow; e += kWindowThreads)
      its.P[e / kWindow][e % kWindow] = its.between(e / kWindow, e % kWindow) * scores[e];
  }

  /** dP = dy·v, of the decays between tokens and, over heads, of the scores. */
  __device__ void findScores(int head, float (&dscores)[kOwnRows][kWindow / 16]) const {
    float sums[kOwnRows][kWindow / 16] = {};
    addProduct<Along::inner, Along::inner, kWindow>(
        sums, its.slices, of.headSize, [&](int i, int c) { return dy(i, head, c); }, [&](int c, int j) { return its.step[j] * this->x(j, head, c); });
#pragma unroll
    for (int r = 0; r < kOwnRows; r++)
#pragma unroll
      for (int c = 0; c < kWindow / 16; c++) {
        const int i = ownRow(r), j = ownColumn(c);
        its.dP[i][j] = j < i ? sums[r][c] * its.P[i][j] : 0;
        dscores[r][c] = fmaf(its.between(i, j), sums[r][c], dscores[r][c]);
      }
    __syncthreads();
    its.findPairs(its.dP);
    __syncthreads();
  }

  /** dx, and what of the gradient of a step goes through v. */
  __device__ void findValues(int head) const {
    const float* dS = in.dstates.at(index, head, of.heads);
    for (int column = 0; column < of.headSize; column += kWindow) {
      float dv[kOwnRows][kWindow / 16] = {};
      addProduct<Along::rows, Along::columns, kWindow>(
          dv, its.slices, kWindow, [&](int j, int i) { return its.P[i][j]; }, [&](int i, int c) { return dy(i, head, column + c); });
      if (its.goesOn(kWindow - 1))
        addProduct<Along::inner, Along::inner, kWindow>(
            dv, its.slices, of.stateSize, [&](int j, int n) { return its.toNext[j] * this->b(j, group, n); },
            [&](int n, int c) { return column + c < of.headSize ? dS[int64_t{column + c} * of.stateSize + n] : 0; });
      addDots(its.dsteps, dv, [&](int j, int c) { return this->x(j, head, column + c); });
      forOwn(dv, [&](int j, int c, float& value) {
        const float slope = dy(j, head, column + c);
        if (j < count && column + c < of.headSize)
          to.dxbc[(start + j) * of.columns + int64_t{head} * of.headSize + column + c] = fromFloat<A>(fmaf(of.skip[head], slope, its.step[j] * value));
        value = slope;
      });
      addDots(its.skips, dv, [&](int j, int c) { return this->x(j, head, column + c); });
    }
  }

  /** Of B (which = 0) by what is written under it, or of C (1) by what it reads, with the gradient or the state at that end of the window. */
  template <int which>
  __device__ void findThroughStates(int head, bool isFirst) const {
    const bool isThere = which == 0 ? its.goesOn(kWindow - 1) : its.reachesBack(0);
    if (!isThere && !isFirst) return;
    const float* state = which == 0 ? in.dstates.at(index, head, of.heads) : in.states.at(index, head, of.heads);
    const auto values = [&](int i, int c) {
      return which == 0 ? its.toNext[i] * its.step[i] * this->x(i, head, c) : its.fromBefore[i] * dy(i, head, c);
    };
    for (int column = 0; column < of.stateSize; column += kTileColumns) {
      float sums[kOwnRows][kTileColumns / 16] = {};
      if (isThere) {
        addProduct<Along::inner, Along::columns, kTileColumns>(sums, its.slices, of.headSize, values, [&](int c, int n) {
          return column + n < of.stateSize ? state[int64_t{c} * of.stateSize + column + n] : 0;
        });
        if constexpr (which == 0)
          addDots(its.written, sums, [&](int j, int n) { return this->b(j, group, column + n); });
        else
          addDots(its.slopes, sums, [&](int i, int n) { return this->c(i, group, column + n); });
      }
      forOwn(sums, [&](int i, int n, float sum) {
        if (i >= count || column + n >= of.stateSize) return;
        float* at = to.dbc + (((part * of.tokens + start + i) * of.groups + group) * 2 + which) * of.stateSize + column + n;
        *at = sum + (isFirst ? 0 : *at);
      });
    }
  }

  /** The slope of all decays of the window alike, for every thread: of the state before it, where that goes on in the state after it. */
  __device__ double findCarried(int head) const {
    double sum = 0;
    if (its.carried() != 0) {
      const float *S = in.states.at(index, head, of.heads), *dS = in.dstates.at(index, head, of.heads);
      for (int64_t e = threadIdx.x; e < of.state(); e += kWindowThreads) sum += static_cast<double>(S[e] * dS[e]);
    }
    return joinBlock<kWindowThreads>(sum, its.partial, Sum{}) * static_cast<double>(its.carried());
  }

  __device__ void findSteps(int head) const {
    const double carried = findCarried(head);
    double sums[3] = {};
    const int i = static_cast<int>(threadIdx.x);
    if (i < count) {
      const double dg = its.ofToken(i, its, carried);
      const float ddt = static_cast<float>(static_cast<double>(its.dsteps[i]) + dg * static_cast<double>(of.rate(head))) * sigmoid(of.rawStep(start + i, head));
      to.ddt[(start + i) * of.heads + head] = fromFloat<A>(ddt);
      sums[0] = dg * static_cast<double>(its.g[i]);
      sums[1] = ddt;
      sums[2] = its.skips[i];
    }
#pragma unroll
    for (int which = 0; which < 3; which++) {
      const double sum = joinBlock<kWindowThreads>(sums[which], its.partial, Sum{});
      if (threadIdx.x == 0) to.sums[(index * of.heads + head) * 3 + which] = sum;
    }
  }
};

/** A block a window of one part of a group's heads, which add up in their order. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads)
    backwardWindowsKernel(StateSpace<A> of, Packed packed, BackwardInputs<A> in, BackwardResults<A> to, int parts) {
  __shared__ BackwardTokens its;
  const int part = static_cast<int>(blockIdx.y), group = static_cast<int>(blockIdx.z);
  const BackwardWindow<A> window(of, in, to, its, blockIdx.x, group, part);
  its.findDocuments(packed, window.start, window.count);
  float dscores[kOwnRows][kWindow / 16] = {};
  for (int i = part; i < of.headsOfGroup(); i += parts) {
    const int head = group * of.headsOfGroup() + i;
    __syncthreads();
    window.load(head);
    window.findScores(head, dscores);
    window.findValues(head);
    window.template findThroughStates<0>(head, i == part);
    window.template findThroughStates<1>(head, i == part);
    __syncthreads();
    window.findSteps(head);
  }
  float* scores = to.dscores + ((part * int64_t{gridDim.x} + blockIdx.x) * of.groups + group) * kWindow * kWindow;
  forOwn(dscores, [&](int i, int j, float sum) { scores[i * kWindow + j] = sum; });
}

/** dB (which = 0) and dC (1) of all heads of a group: what their parts have found, and what goes through the scores. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads) joinGroupsKernel(StateSpace<A> of, BackwardResults<A> to, int parts) {
  __shared__ Slices slices;
  __shared__ float dscores[kWindow][kWindow + 1];
  const Window<A> window(of, blockIdx.x);
  const int which = static_cast<int>(blockIdx.y), group = static_cast<int>(blockIdx.z);
  for (int e = static_cast<int>(threadIdx.x); e < kWindow * kWindow; e += kWindowThreads) {
    float sum = 0;
    for (int part = 0; part < parts; part++)
      sum += to.dscores[((part * int64_t{gridDim.x} + blockIdx.x) * of.groups + group) * kWindow * kWindow + e];
    dscores[e / kWindow][e % kWindow] = sum;
  }
  for (int column = 0; column < of.stateSize; column += kTileColumns) {
    float sums[kOwnRows][kTileColumns / 16] = {};
    const auto others = [&](int i, int n) { return which == 0 ? window.c(i, group, column + n) : window.b(i, group, column + n); };
    addProduct<Along::rows, Along::columns, kTileColumns>(
        sums, slices, kWindow, [&](int row, int i) { return which == 0 ? dscores[i][row] : dscores[row][i]; }, others);
    forOwn(sums, [&](int i, int n, float sum) {
      if (i >= window.count || column + n >= of.stateSize) return;
      const int64_t token = window.start + i;
      for (int part = 0; part < parts; part++)
        sum += to.dbc[(((part * of.tokens + token) * of.groups + group) * 2 + which) * of.stateSize + column + n];
      to.dxbc[token * of.columns + (which == 0 ? of.bColumn(group) : of.cColumn(group)) + column + n] = fromFloat<A>(sum);
    });
  }
}

/** Workspace: that of the forward pass; the gradients of states, as these; dbc, dscores, sums. */
template <typename A>
const char* runBackward(const Launch& launch, const StateSpace<A>& of, const Packed& packed) {
  const cudaStream_t stream = contextOf(launch).stream;
  const int64_t windows = of.windows();
  const int parts = of.headsOfGroup() < kMostParts ? of.headsOfGroup() : kMostParts;
  char* rest = launch.workspace;
  const Scratch<A> scratch(of, rest);
  const WindowStates dstates{take<float>(rest, windows * of.heads * of.state()), take<float>(rest, windows * of.heads), of.state()};
  float* dbc = take<float>(rest, parts * of.tokens * of.groups * 2 * of.stateSize);
  float* dscores = take<float>(rest, parts * windows * of.groups * kWindow * kWindow);
  double* sums = take<double>(rest, windows * of.heads * 3);
  const A* dy = dataOf<A>(launch.inputs[0]);
  findStates<A>(stream, of, packed, nullptr, scratch.states);
  findStates<A>(stream, of, packed, dy, dstates);
  findScores(stream, of, scratch.scores);
  const BackwardResults<A> to{dataOf<A>(launch.outputs[0]), dataOf<A>(launch.outputs[1]), dbc, dscores, sums};
  const dim3 grid(static_cast<unsigned>(windows), static_cast<unsigned>(parts), static_cast<unsigned>(of.groups));
  const BackwardInputs<A> in{dy, scratch.scores, scratch.states, dstates};
  bool isDone = false;
  if constexpr (std::is_same_v<A, Bf16>)
    if (servesChunks(of)) {
      isDone = true;
      if (const char* problem = launchKernel(chunkGradientsKernel, grid, kWindowThreads, sizeof(GradientTiles), stream, of, packed, in, to, parts))
        return problem;
    }
  if (!isDone) backwardWindowsKernel<A><<<grid, kWindowThreads, 0, stream>>>(of, packed, in, to, parts);
  const dim3 both(static_cast<unsigned>(windows), 2, static_cast<unsigned>(of.groups));
  joinGroupsKernel<A><<<both, kWindowThreads, 0, stream>>>(of, to, parts);
  addWindowParts<3>(stream, sums, windows, of.heads, {launch.outputs[2].f32(), launch.outputs[3].f32(), launch.outputs[4].f32()});
  return nullptr;
}

}  // namespace
}  // namespace anneal::cuda
