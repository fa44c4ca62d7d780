#pragma once

#include "../kernel.h"

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
      : positions_(positions.i32()), tokens_(positions.shape[0]), slots_(slots.absent() ? nullptr : slots.i32()),
        count_(slots.absent() ? (tokens_ > 0 ? 1 : 0) : slots.shape[0]), held_(held) {}

  int64_t count() const { return count_; }

  CarriedSequence at(int64_t i) const {
    if (!slots_) return {0, tokens_, 0, 1, positions_[0] == 0};
    const int32_t *own = slots_ + 3 * i, *next = own + 3;
    const int64_t first = own[0], end = i + 1 < count_ ? next[0] : tokens_;
    return {first, end, own[1], own[2], first >= 0 && first < tokens_ && positions_[first] == 0};
  }

  /** What is wrong with them, or null. No two sequences may have one slot. */
  const char* check() const {
    int64_t token = 0, slot = 0;
    for (int64_t i = 0; i < count_; i++) {
      const CarriedSequence s = at(i);
      if (s.first != token || s.end <= s.first || s.end > tokens_) return "sequences do not divide the tokens";
      if (s.slot < slot || s.slots < 1 || s.slot + s.slots > held_) return "slots of states do not ascend, or lie outside the cache";
      token = s.end, slot = s.slot + s.slots;
    }
    return nullptr;
  }

 private:
  const int32_t* positions_;
  int64_t tokens_;
  const int32_t* slots_;
  int64_t count_, held_;
};

}  // namespace anneal::ANNEAL_ISA
