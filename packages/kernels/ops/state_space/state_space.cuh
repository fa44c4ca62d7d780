#pragma once

#include "cuda/carried_states.cuh"
#include "cuda/elements.cuh"
#include "cuda/window_product.cuh"

namespace anneal::cuda {
namespace {

/** The inputs of the op, and how the columns of [x B C] divide into heads and groups. */
template <typename A>
struct StateSpace {
  const A *xbc, *dt;
  const float *decay, *shift, *skip;
  int64_t tokens, columns;
  int heads, groups, stateSize, headSize;
  CarriedStates carried;  // of tokens that go on with a state

  /** As many as there may be: each sequence begins one. */
  __host__ __device__ int64_t windows() const {
    return carried.slots ? tokens / kWindow + carried.sequences : (tokens + kWindow - 1) / kWindow;
  }
  __host__ __device__ int64_t values() const { return int64_t{heads} * headSize; }
  __host__ __device__ int64_t state() const { return int64_t{stateSize} * headSize; }
  __host__ __device__ int headsOfGroup() const { return heads / groups; }
  __device__ int64_t bColumn(int group) const { return values() + int64_t{group} * stateSize; }
  __device__ int64_t cColumn(int group) const { return bColumn(groups + group); }
  __device__ float x(int64_t token, int head, int c) const { return toFloat(xbc[token * columns + int64_t{head} * headSize + c]); }
  __device__ float b(int64_t token, int group, int n) const { return toFloat(xbc[token * columns + bColumn(group) + n]); }
  __device__ float c(int64_t token, int group, int n) const { return toFloat(xbc[token * columns + cColumn(group) + n]); }
  /** Before its softplus. */
  __device__ float rawStep(int64_t token, int head) const { return toFloat(dt[token * heads + head]) + shift[head]; }
  __device__ float rate(int head) const { return -expf(decay[head]); }
};

/** @param inputs xbc, dt, decay, shift, skip */
template <typename A>
StateSpace<A> stateSpaceOf(const Tensor* inputs, const double* attributes) {
  const int64_t columns = inputs[0].shape[1];
  const int heads = static_cast<int>(inputs[1].shape[1]), groups = static_cast<int>(attributes[0]), stateSize = static_cast<int>(attributes[1]);
  return {dataOf<A>(inputs[0]),
          dataOf<A>(inputs[1]),
          inputs[2].f32(),
          inputs[3].f32(),
          inputs[4].f32(),
          inputs[0].shape[0],
          columns,
          heads,
          groups,
          stateSize,
          static_cast<int>((columns - int64_t{2} * groups * stateSize) / heads),
          {}};
}

/** Of all windows and heads, [windows, heads, headSize, stateSize], and what is left of them after a window, [windows, heads]. */
struct WindowStates {
  float *states, *carried;
  int64_t size;  // of a state

  __device__ float* at(int64_t window, int head, int heads) const { return states + (window * heads + head) * size; }
};

__device__ inline int64_t windowsOf(const CarriedSequence& sequence) { return (sequence.end - sequence.begin + kWindow - 1) / kWindow; }

/** A window of tokens, as a block sees it. Beyond its last token all is 0. */
template <typename A>
struct Window {
  const StateSpace<A>& of;
  int64_t start;
  int count;

  __device__ Window(const StateSpace<A>& of, int64_t window)
      : of(of), start(window * kWindow), count(static_cast<int>(min(of.tokens - window * kWindow, int64_t{kWindow}))) {}

  __device__ int64_t end() const { return start + count; }

  __device__ float x(int i, int head, int c) const { return i < count && c < of.headSize ? of.x(start + i, head, c) : 0; }
  __device__ float b(int i, int group, int n) const { return i < count && n < of.stateSize ? of.b(start + i, group, n) : 0; }
  __device__ float c(int i, int group, int n) const { return i < count && n < of.stateSize ? of.c(start + i, group, n) : 0; }
  __device__ float value(const A* values, int i, int head, int c) const {
    return i < count && c < of.headSize ? toFloat(values[(start + i) * of.values() + int64_t{head} * of.headSize + c]) : 0;
  }
};

/** The same where sequences that go on with states begin windows of their own; of those that are not needed then `count` is 0. */
template <typename A>
struct ForwardWindow : Window<A> {
  __device__ ForwardWindow(const StateSpace<A>& of, int64_t window) : Window<A>(of, window) {
    if (!of.carried.slots) return;
    this->count = 0;
    for (int i = 0; i < of.carried.sequences; i++) {
      const CarriedSequence sequence = of.carried.at(i);
      if (window < windowsOf(sequence)) {
        this->start = sequence.begin + window * kWindow;
        this->count = static_cast<int>(min(sequence.end - this->start, int64_t{kWindow}));
        return;
      }
      window -= windowsOf(sequence);
    }
  }
};

/** In shared memory: the tokens of a window and head. */
struct HeadTokens : WindowDecays {
  float step[kWindow];

  template <typename A>
  __device__ void load(const Window<A>& window, int head) {
    const StateSpace<A>& of = window.of;
    find([&](int i) {
      step[i] = i < window.count ? softplus(of.rawStep(window.start + i, head)) : 0;
      return of.rate(head) * step[i];
    });
  }
};

}  // namespace
}  // namespace anneal::cuda
