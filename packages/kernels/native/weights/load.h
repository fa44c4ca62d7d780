#pragma once

#include <string>

#include "../backend.h"
#include "../plan.h"
#include "weight_source.h"

namespace anneal {

struct LoadOutcome {
  /** What is wrong with the file; empty where nothing is. */
  std::string problem;
  /** The first value that is infinite or no number; -1 where there is none. */
  int64_t not_finite;
};

/** Fills a variable with the values, converted to its own type, on all cores and without holding more than a few megabytes of them. */
LoadOutcome loadWeight(Backend& backend, const Place& variable, const WeightSource& source);

/** The variables of a matrix in NF4. */
struct Nf4Variables {
  Place codes, absmax;
  bool is_double;
  // Where the absmaxes are quantized themselves.
  Place scales, offsets;
  const float* map;
};

struct Nf4Outcome {
  std::string problem;
  /** Whether all weights are; the variables hold nothing useful otherwise. */
  bool is_finite;
};

/** The same, encoding the values: to the bytes of quantizeNf4. */
Nf4Outcome loadNf4(Backend& backend, const Nf4Variables& variables, const WeightSource& source);

}  // namespace anneal
