#pragma once

#include "host_device.h"

namespace anneal {

/** base^count by squaring: as fast as `pow` on a GPU, in fewer registers. */
static inline ANNEAL_HOST_DEVICE double power(double base, int count) {
  double result = 1;
  for (; count > 0; count /= 2, base *= base)
    if (count % 2) result *= base;
  return result;
}

}  // namespace anneal
