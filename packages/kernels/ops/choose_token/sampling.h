#pragma once

#include <cmath>
#include <cstdint>

#include "host_device.h"

namespace anneal {

/** As op.ts of choose_token says. */
struct Sampling {
  double temperature, top_k, top_p, min_p;
};

/** Integers in the order of the floats. */
ANNEAL_HOST_DEVICE inline uint32_t orderOf(float value) {
  union {
    float number;
    uint32_t bits;
  } as{value};
  return as.bits & 0x80000000u ? ~as.bits : as.bits | 0x80000000u;
}

/** What filters leave: tokens of a higher order than `order`, and of those that have it the `ties` with the lowest ids. */
struct Kept {
  uint32_t order;
  int ties;
};

/** How many tokens have at least some order, or a higher one, and their weights' sum. */
struct Mass {
  int count;
  double weight;
};

/**
 * Narrows what is kept by top_k and top_p. `above(order)` gives the Mass of tokens of a higher order than that, quickly from order `quick` on;
 * `weightOf(order)` the weight of one of that order.
 */
template <typename Above, typename WeightOf>
ANNEAL_HOST_DEVICE Kept keptBy(const Sampling& sampling, int tokens, uint32_t quick, const Above& above, const WeightOf& weightOf) {
  // The highest order of which isEnough(Mass of tokens at or above it) holds: that falls as the order rises.
  const auto highest = [&](uint32_t low, auto isEnough) {
    uint32_t high = 0xffffffffu;
    if (quick >= low && isEnough(above(quick))) low = quick + 1;
    while (low < high) {
      const uint32_t middle = low + (high - low) / 2 + 1;
      if (isEnough(above(middle - 1))) low = middle;
      else high = middle - 1;
    }
    return low;
  };
  Kept kept{0, tokens};
  if (sampling.top_k > 0 && sampling.top_k < tokens) {
    kept.order = highest(1, [&](Mass mass) { return mass.count >= sampling.top_k; });
    kept.ties = static_cast<int>(sampling.top_k) - above(kept.order).count;
  }
  if (sampling.top_p < 1) {
    const double ties = kept.order == 0 ? 0 : kept.ties * weightOf(kept.order);
    const double wanted = sampling.top_p * (above(kept.order).weight + ties);
    const uint32_t order = highest(kept.order, [&](Mass mass) { return mass.weight >= wanted; });
    if (order == 0) return kept;  // rounding: not even all of them make it up
    const Mass higher = above(order);
    const int most = order == kept.order ? kept.ties : above(order - 1).count - higher.count;
    const double needed = ceil((wanted - higher.weight) / weightOf(order));
    kept = {order, needed < 1 ? 1 : needed < most ? static_cast<int>(needed) : most};
  }
  return kept;
}

}  // namespace anneal
