#pragma once

#include "window_states.cuh"

namespace anneal::cuda {
namespace {

/** scores = C Bᵀ of the tokens of a window, which all heads of a group share: [windows, groups, kWindow, kWindow]. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads) windowScoresKernel(StateSpace<A> of, float* scores) {
  __shared__ Slices slices;
  const ForwardWindow<A> window(of, blockIdx.x);
  if (window.count == 0) return;
  const int group = static_cast<int>(blockIdx.y);
  float sums[kOwnRows][kWindow / 16] = {};
  addProduct<Along::inner, Along::inner, kWindow>(
      sums, slices, of.stateSize, [&](int i, int n) { return window.c(i, group, n); }, [&](int n, int j) { return window.b(j, group, n); });
  float* to = scores + (int64_t{blockIdx.x} * of.groups + group) * kWindow * kWindow;
  forOwn(sums, [&](int i, int j, float sum) { to[i * kWindow + j] = sum; });
}

template <typename A>
void findScores(cudaStream_t stream, const StateSpace<A>& of, float* scores) {
  const dim3 grid(static_cast<unsigned>(of.windows()), static_cast<unsigned>(of.groups));
  windowScoresKernel<A><<<grid, kWindowThreads, 0, stream>>>(of, scores);
}

/** With d_ij the decay from token j to i: y_i = Σ_j d_ij scores_ij step_j x_j + (what is left at i of the state before the window) · C_i + skip · x_i. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads)
    windowOutputsKernel(StateSpace<A> of, Packed packed, const float* scores, WindowStates states, A* y) {
  __shared__ HeadTokens its;
  __shared__ Slices slices;
  __shared__ float P[kWindow][kWindow + 16];  // padded against conflicts of banks
  const ForwardWindow<A> window(of, blockIdx.x);
  if (window.count == 0) return;
  const int head = static_cast<int>(blockIdx.y), group = head / of.headsOfGroup(), column = static_cast<int>(blockIdx.z) * kWindow;
  its.findDocuments(packed, window.start, window.count);
  __syncthreads();
  its.load(window, head);
  const float* shared = scores + (int64_t{blockIdx.x} * of.groups + group) * kWindow * kWindow;
  for (int e = static_cast<int>(threadIdx.x); e < kWindow * kWindow; e += kWindowThreads) {
    const int i = e / kWindow, j = e % kWindow;
    P[i][j] = its.between(i, j) * its.step[j] * shared[e];
  }
  float sums[kOwnRows][kWindow / 16] = {};
  const float* state = states.at(blockIdx.x, head, of.heads);
  if (its.reachesBack(0))
    addProduct<Along::inner, Along::inner, kWindow>(
        sums, slices, of.stateSize, [&](int i, int n) { return its.fromBefore[i] * window.c(i, group, n); },
        [&](int n, int c) { return column + c < of.headSize ? state[int64_t{column + c} * of.stateSize + n] : 0; });
  addProduct<Along::inner, Along::columns, kWindow>(
      sums, slices, kWindow, [&](int i, int j) { return P[i][j]; }, [&](int j, int c) { return window.x(j, head, column + c); });
  forOwn(sums, [&](int i, int c, float sum) {
    if (i < window.count && column + c < of.headSize)
      y[(window.start + i) * of.values() + int64_t{head} * of.headSize + column + c] = fromFloat<A>(fmaf(of.skip[head], window.x(i, head, column + c), sum));
  });
}

/** Scratch of the forward pass, which the backward pass finds again. */
template <typename A>
struct Scratch {
  WindowStates states;
  float* scores;

  Scratch(const StateSpace<A>& of, char*& workspace) {
    const int64_t windows = of.windows();
    states = {take<float>(workspace, windows * of.heads * of.state()), take<float>(workspace, windows * of.heads), of.state()};
    scores = take<float>(workspace, windows * of.groups * kWindow * kWindow);
  }
};

template <typename A>
const char* runForward(const Launch& launch, const StateSpace<A>& of, const Packed& packed, float* carriedStates, A* y) {
  const cudaStream_t stream = contextOf(launch).stream;
  char* rest = launch.workspace;
  const Scratch<A> scratch(of, rest);
  findStates<A>(stream, of, packed, nullptr, scratch.states, carriedStates);
  findScores(stream, of, scratch.scores);
  const dim3 grid(static_cast<unsigned>(of.windows()), static_cast<unsigned>(of.heads),
                  static_cast<unsigned>(ceilDivide(of.headSize, kWindow)));
  if constexpr (std::is_same_v<A, Bf16>)
    if (servesChunks(of))
      return launchKernel(chunkOutputsKernel, grid, kWindowThreads, kChunkOutputBytes, stream, of, packed, scratch.scores, scratch.states, y);
  windowOutputsKernel<A><<<grid, kWindowThreads, 0, stream>>>(of, packed, scratch.scores, scratch.states, y);
  return nullptr;
}

}  // namespace
}  // namespace anneal::cuda
