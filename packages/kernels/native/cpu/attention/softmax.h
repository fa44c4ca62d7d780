#pragma once

#include <math.h>

#include "blocks.h"

namespace anneal::ANNEAL_ISA {

/** Scores become soft_cap · tanh(score / soft_cap); 0 leaves them as they are. */
inline void capScores(float* scores, int columns, float soft_cap) {
  if (soft_cap == 0) return;
  const Vec cap = Vec::set(soft_cap), share = Vec::set(1 / soft_cap);
  for (int j = 0; j < columns; j += Vec::width) (cap * tanh(share * Vec::load(scores + j))).store(scores + j);
}

/** The running softmax of a head that has seen no key: empty, or its sink alone. */
inline void beginSoftmax(const float* sinks, int64_t head, float& maximum, float& total) {
  maximum = sinks ? sinks[head] : -INFINITY;
  total = sinks ? 1.0f : 0.0f;
}

/** Scores of one row become weights e^(score - maximum); returns the factor by which what was summed before must shrink. */
inline float softmaxRow(float* scores, int columns, Visible visible, float& maximum, float& total) {
  for (int j = 0; j < visible.first; j++) scores[j] = -INFINITY;
  for (int j = visible.end; j < columns; j++) scores[j] = -INFINITY;
  Vec highest = Vec::set(maximum);
  for (int j = 0; j < columns; j += Vec::width) highest = max(highest, Vec::load(scores + j));
  const float new_maximum = hmax(highest);
  Vec sums = Vec::zero();
  for (int j = 0; j < columns; j += Vec::width) {
    const Vec weight = exp(Vec::load(scores + j) - Vec::set(new_maximum));
    weight.store(scores + j);
    sums += weight;
  }
  const float shrink = ::expf(maximum - new_maximum);
  maximum = new_maximum;
  total = total * shrink + sum(sums);
  return shrink;
}

inline void scaleRow(float* row, int64_t count, float factor) {
  for (int64_t i = 0; i < count; i += Vec::width) {
    const int lanes = clampCount(count - i, Vec::width);
    (Vec::load(row + i, lanes) * Vec::set(factor)).store(row + i, lanes);
  }
}

}  // namespace anneal::ANNEAL_ISA
