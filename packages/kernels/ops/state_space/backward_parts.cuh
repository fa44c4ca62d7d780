#pragma once

#include "state_space.cuh"

namespace anneal::cuda {
namespace {

/** What the gradients of a window are made of: states before windows, gradients of those after them. */
template <typename A>
struct BackwardInputs {
  const A* dy;
  const float* scores;
  WindowStates states, dstates;
};

template <typename A>
struct BackwardResults {
  A *dxbc, *ddt;
  float* dbc;      // [parts, tokens, groups, 2 · stateSize]: but for what goes through the scores
  float* dscores;  // [parts, windows, groups, kWindow, kWindow]
  double* sums;    // [windows, heads, 3]: of the gradients of decay, shift and skip
};

}  // namespace
}  // namespace anneal::cuda
