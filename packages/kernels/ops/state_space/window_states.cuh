#pragma once

#include "chunk_products.cuh"

namespace anneal::cuda {
namespace {

/** What a window adds to the state after it; or, going back (dy), to the gradient of the state before it. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads) windowStatesKernel(StateSpace<A> of, Packed packed, const A* dy, WindowStates to) {
  __shared__ HeadTokens its;
  __shared__ Slices slices;
  const ForwardWindow<A> window(of, blockIdx.x);
  if (window.count == 0) return;
  const int head = static_cast<int>(blockIdx.y), group = head / of.headsOfGroup();
  its.findDocuments(packed, window.start, window.count);
  __syncthreads();
  its.load(window, head);
  if (threadIdx.x == 0) to.carried[int64_t{blockIdx.x} * of.heads + head] = its.carried();
  float* state = to.at(blockIdx.x, head, of.heads);
  const int row = static_cast<int>(blockIdx.z) * kWindow;
  const auto values = [&](int c, int i) {
    return dy ? its.fromBefore[i] * window.value(dy, i, head, row + c) : its.toNext[i] * its.step[i] * window.x(i, head, row + c);
  };
  for (int column = 0; column < of.stateSize; column += kTileColumns) {
    float sums[kOwnRows][kTileColumns / 16] = {};
    const auto others = [&](int i, int n) { return dy ? window.c(i, group, column + n) : window.b(i, group, column + n); };
    addProduct<Along::rows, Along::columns, kTileColumns>(sums, slices, kWindow, values, others);
    forOwn(sums, [&](int c, int n, float sum) {
      if (row + c < of.headSize && column + n < of.stateSize) state[int64_t{row + c} * of.stateSize + column + n] = sum;
    });
  }
}

constexpr int kPassed = 8;  // windows read together

/**
 * A thread hands on an element of a head's state from window to window: what each adds becomes what it begins with; or, going back, ends with.
 * @param held states of slots, [heads · stateSize, headSize] each, with which windows of a sequence begin and end; null: none
 */
static __global__ void __launch_bounds__(kElementThreads)
    passStatesKernel(WindowStates all, int64_t windows, int stateSize, int headSize, bool back, CarriedStates carried, float* held) {
  const int64_t element = int64_t{blockIdx.x} * kElementThreads + threadIdx.x;
  const int head = static_cast<int>(blockIdx.y), heads = static_cast<int>(gridDim.y);
  if (element >= all.size) return;
  CarriedSequence sequence{0, 0, 0, 0, true};
  if (held) {
    for (int i = 0; i < static_cast<int>(blockIdx.z); i++) {
      const int64_t others = windowsOf(carried.at(i));
      all.states += others * heads * all.size, all.carried += others * heads;
    }
    sequence = carried.at(static_cast<int>(blockIdx.z));
    windows = windowsOf(sequence);
  }
  float* kept = held + ((int64_t{sequence.slot} * heads + head) * stateSize + element % stateSize) * headSize + element / stateSize;
  float state = sequence.begins ? 0 : *kept;
  for (int64_t first = 0; first < windows; first += kPassed) {
    const int count = static_cast<int>(min(windows - first, int64_t{kPassed}));
    const auto windowAt = [&](int i) { return back ? windows - 1 - first - i : first + i; };
    float added[kPassed], carried[kPassed];
#pragma unroll
    for (int i = 0; i < kPassed; i++) {
      added[i] = i < count ? all.at(windowAt(i), head, heads)[element] : 0;
      carried[i] = i < count ? all.carried[windowAt(i) * heads + head] : 0;
    }
#pragma unroll
    for (int i = 0; i < kPassed; i++) {
      if (i >= count) break;
      all.at(windowAt(i), head, heads)[element] = state;
      state = fmaf(carried[i], state, added[i]);
    }
  }
  for (int slot = 0; slot < sequence.slots; slot++) kept[slot * heads * all.size] = state;
}

/** The states before all windows; or, going back (dy), the gradients of those after them. */
template <typename A>
void findStates(cudaStream_t stream, const StateSpace<A>& of, const Packed& packed, const A* dy, const WindowStates& to,
                float* held = nullptr) {
  const int64_t windows = of.windows();
  const dim3 grid(static_cast<unsigned>(windows), static_cast<unsigned>(of.heads), static_cast<unsigned>(ceilDivide(of.headSize, kWindow)));
  auto kernel = windowStatesKernel<A>;
  if constexpr (std::is_same_v<A, Bf16>)
    if (servesChunks(of)) kernel = chunkStatesKernel;
  kernel<<<grid, kWindowThreads, 0, stream>>>(of, packed, dy, to);
  const dim3 elements(static_cast<unsigned>(ceilDivide(of.state(), kElementThreads)), static_cast<unsigned>(of.heads),
                      static_cast<unsigned>(held ? of.carried.sequences : 1));
  passStatesKernel<<<elements, kElementThreads, 0, stream>>>(to, windows, of.stateSize, of.headSize, dy != nullptr, of.carried, held);
}

}  // namespace
}  // namespace anneal::cuda
