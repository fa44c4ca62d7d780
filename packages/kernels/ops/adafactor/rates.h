#pragma once

#include <cmath>

#include "host_device.h"
#include "kernel.h"

namespace anneal {

/** transformers' eps[0]. */
constexpr float kAdafactorEpsilon = 1e-30f;

struct AdafactorRates {
  /** What is left of the means, and what is added to them. */
  float keep, add;
  float decay, stepSize;
};

static inline ANNEAL_HOST_DEVICE AdafactorRates adafactorRates(double rate, int32_t step, double weightDecay) {
  const double keep = 1.0 - pow(static_cast<double>(step), -0.8);
  return {static_cast<float>(keep), static_cast<float>(1.0 - keep), static_cast<float>(1.0 - rate * weightDecay),
          static_cast<float>(rate)};
}

/** What scales a move of this sum of squares down to a root mean square of at most 1. */
static inline ANNEAL_HOST_DEVICE float scaleOfMove(double squareSum, int64_t count) {
  const double rootMeanSquare = sqrt(squareSum / static_cast<double>(count));
  return rootMeanSquare > 1.0 ? static_cast<float>(1.0 / rootMeanSquare) : rootMeanSquare != rootMeanSquare ? NAN : 1.0f;
}

}  // namespace anneal
