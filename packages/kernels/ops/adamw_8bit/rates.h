#pragma once

#include <cmath>

#include "host_device.h"
#include "kernel.h"
#include "power.h"

namespace anneal {

/** What all elements of a step share. */
struct Adamw8bitRates {
  /** Of the moments: beta and 1 - beta, in float32, as bitsandbytes has them. */
  float beta1, rest1, beta2, rest2;
  float clip, step_size, epsilon, decay;
};

/** The bias corrections lie in step size and epsilon: rate · (m / c1) / (√(v / c2) + ε) = rate · (√c2 / c1) · m / (√v + √c2 · ε). */
static inline ANNEAL_HOST_DEVICE Adamw8bitRates adamw8bitRates(const double* attributes, float clip, double rate, int step) {
  const float beta1 = static_cast<float>(attributes[0]), beta2 = static_cast<float>(attributes[1]);
  const double root = sqrt(1.0 - power(beta2, step));
  return {beta1,
          1.0f - beta1,
          beta2,
          1.0f - beta2,
          clip,
          static_cast<float>(rate * root / (1.0 - power(beta1, step))),
          static_cast<float>(root * attributes[2]),
          static_cast<float>(1.0 - rate * attributes[3])};
}

}  // namespace anneal
