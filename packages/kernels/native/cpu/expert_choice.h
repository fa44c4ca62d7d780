#pragma once

#include <cstdint>
#include <cstring>

// How routers choose experts, and sort what they chose.

namespace anneal::ANNEAL_ISA {

static inline bool isAmong(int32_t expert, const int32_t* chosen, int64_t count) {
  for (int64_t i = 0; i < count; i++) {
    if (chosen[i] == expert) return true;
  }
  return false;
}

/** The expert with the largest score that is not among the first `count` chosen ones; scores that are not numbers come last. */
static inline int32_t nextExpert(const float* scores, int64_t experts, const int32_t* chosen, int64_t count) {
  int32_t best = -1;
  for (int32_t e = 0; e < experts; e++) {
    if ((best < 0 || scores[e] > scores[best] || scores[best] != scores[best]) && !isAmong(e, chosen, count)) best = e;
  }
  return best;
}

static const char* const kNoExpert = "a token goes to an expert that is not there";

static inline bool areExperts(const int32_t* chosen, int64_t count, int64_t experts) {
  for (int64_t i = 0; i < count; i++) {
    if (chosen[i] < 0 || chosen[i] >= experts) return false;
  }
  return true;
}

/** Counts the assignments of each expert, and gives each its place behind those of lower experts and earlier tokens. */
static inline void sortAssignments(const int32_t* chosen, int64_t assignments, int64_t experts, int32_t* places, int32_t* offsets) {
  std::memset(offsets, 0, static_cast<size_t>(experts + 1) * sizeof *offsets);
  for (int64_t i = 0; i < assignments; i++) offsets[chosen[i] + 1]++;
  for (int64_t e = 0; e < experts; e++) offsets[e + 1] += offsets[e];
  for (int64_t i = 0; i < assignments; i++) places[i] = offsets[chosen[i]]++;
  // Every offset has moved to the end of its expert, which is where the next one begins.
  for (int64_t e = experts; e > 0; e--) offsets[e] = offsets[e - 1];
  offsets[0] = 0;
}

}  // namespace anneal::ANNEAL_ISA
