#pragma once

#include "sequence_spans.h"

namespace anneal::ANNEAL_ISA {

/** A sequence's tokens in a call, and the slots of its states: it goes on with the first, and all of them hold what comes out. */
struct CarriedSequence {
  int64_t first, end, slot, slots;
  bool begins;  // at position 0: what the slot held counts as 0
};

/** Sequences whose states are kept from call to call. */
class CarriedStates {
 public:
  /** @param positions i32[T] @param slots i32[N,3], or absent: all tokens are of one sequence @param held states that there is room for */
  CarriedStates(const Tensor& positions, const Tensor& slots, int64_t held)
      : positions_(positions.i32()), spans_(positions.shape[0], slots, 3), held_(held) {}

  int64_t count() const { return spans_.count(); }

  CarriedSequence at(int64_t i) const {
    const int32_t* slots = spans_.row(i);
    const bool begins = spans_.begins(i) && positions_[spans_.first(i)] == 0;
    return {spans_.first(i), spans_.end(i), slots ? slots[1] : 0, slots ? slots[2] : 1, begins};
  }

  /** What is wrong with them, or null. No two sequences may have one slot. */
  const char* check() const {
    int64_t slot = 0;
    for (int64_t i = 0; i < count(); i++) {
      if (const char* problem = spans_.check(i)) return problem;
      const CarriedSequence s = at(i);
      if (s.slot < slot || s.slots < 1 || s.slot + s.slots > held_) return "slots of states do not ascend, or lie outside the cache";
      slot = s.slot + s.slots;
    }
    return nullptr;
  }

 private:
  const int32_t* positions_;
  SequenceSpans spans_;
  int64_t held_;
};

}  // namespace anneal::ANNEAL_ISA
