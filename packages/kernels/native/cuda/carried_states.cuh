#pragma once

#include "cuda/elements.cuh"

namespace anneal::cuda {

/** A sequence's tokens in a call, and the slots of its states: it goes on with the first, and all of them hold what comes out. */
struct CarriedSequence {
  int64_t begin, end;
  int slot, slots;
  bool begins;  // at position 0: what the slot held counts as 0
};

/** Sequences whose states are kept from call to call; `positions` null: there are none. */
struct CarriedStates {
  const int32_t *positions, *slots;  // [tokens]; [sequences, 3], or null: all tokens are of one sequence
  int sequences;
  int64_t tokens, held;  // states that there is room for
  int32_t* fault;

  /** The last sequence that begins at or before this token. */
  __device__ int sequenceOf(int64_t token) const {
    if (!slots) return 0;
    int low = 0, high = sequences - 1;
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (slots[3 * middle] <= token)
        low = middle;
      else
        high = middle - 1;
    }
    return low;
  }

  /** One whose slots lie outside the cache, or whose tokens outside the call, is reported, and has neither. */
  __device__ CarriedSequence at(int i) const {
    if (!slots) return {0, tokens, 0, 1, positions[0] == 0};
    const int32_t* own = slots + 3 * i;
    const int64_t begin = own[0], end = i + 1 < sequences ? own[3] : tokens;
    if (begin < 0 || begin >= end || end > tokens || own[1] < 0 || own[2] < 1 || int64_t{own[1]} + own[2] > held) {
      report(fault, Fault::position);
      return {0, 0, 0, 0, true};
    }
    return {begin, end, own[1], own[2], positions[begin] == 0};
  }
};

/** @param states of all slots  @param rows of a slot's */
inline CarriedStates carriedStates(const Launch& launch, const Tensor& positions, const Tensor& slots, const Tensor& states, int64_t rows) {
  const int sequences = slots.absent() ? 1 : static_cast<int>(slots.shape[0]);
  return {positions.i32(), slots.i32(), sequences, positions.shape[0], states.shape[0] / rows, contextOf(launch).fault};
}

}  // namespace anneal::cuda
