#pragma once

#include "state_space.cuh"

namespace anneal::cuda {
namespace {

/** At most so many of a sequence, on average, go through the state one by one, which windows would be mostly empty for. */
constexpr int kFewTokens = 8;
constexpr int kStateColumns = 32, kStateLines = kWindowThreads / kStateColumns;

/** A block has kStateColumns columns of a head's state, [stateSize, headSize]; a thread every kStateLines-th element of one. */
template <typename A>
__global__ void __launch_bounds__(kWindowThreads) fewTokensKernel(StateSpace<A> of, float* states, A* y) {
  __shared__ float partial[kStateLines][kStateColumns];
  const int lane = static_cast<int>(threadIdx.x) % kStateColumns, line = static_cast<int>(threadIdx.x) / kStateColumns;
  const int column = static_cast<int>(blockIdx.x) * kStateColumns + lane, head = static_cast<int>(blockIdx.y), group = head / of.headsOfGroup();
  const CarriedSequence sequence = of.carried.at(static_cast<int>(blockIdx.z));
  const bool isReal = column < of.headSize;
  float* state = states + (int64_t{sequence.slot} * of.heads + head) * of.state() + column;
  for (int64_t token = sequence.begin; token < sequence.end; token++) {
    const float step = softplus(of.rawStep(token, head)), left = expf(of.rate(head) * step), x = isReal ? of.x(token, head, column) : 0;
    float read = 0;
#pragma unroll 8
    for (int n = line; n < of.stateSize; n += kStateLines) {
      float* element = state + int64_t{n} * of.headSize;
      const float before = isReal && !(sequence.begins && token == sequence.begin) ? *element : 0, after = fmaf(left, before, of.b(token, group, n) * step * x);
      if (isReal) *element = after;
      read = fmaf(of.c(token, group, n), after, read);
    }
    partial[line][lane] = read;
    __syncthreads();
    if (line == 0 && isReal) {
      float sum = 0;
      for (int other = 0; other < kStateLines; other++) sum += partial[other][lane];
      y[token * of.values() + int64_t{head} * of.headSize + column] = fromFloat<A>(fmaf(of.skip[head], x, sum));
    }
    __syncthreads();
  }
  if (!isReal) return;
  for (int slot = 1; slot < sequence.slots; slot++)
    for (int n = line; n < of.stateSize; n += kStateLines) {
      const float* element = state + int64_t{n} * of.headSize;
      states[element - states + slot * of.heads * of.state()] = *element;
    }
}

}  // namespace
}  // namespace anneal::cuda
