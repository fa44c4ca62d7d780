#pragma once

#include <cstdint>

#include "../convert.h"

namespace anneal {

/** The first of these values that is infinite or no number; -1 where there is none. Of other than float types: -1. */
int64_t firstNotFinite(const char* values, SourceType type, int64_t count);

}  // namespace anneal
