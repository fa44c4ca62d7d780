#pragma once

namespace anneal::cuda {

/**
 * A score without a value joins the softmax of a row that has seen all its keys: `maximum`, of scaled scores, and `total`, Σ e^(score - maximum),
 * then count it. Gives what sums of weighted values are to be multiplied with, before they are divided by `total`.
 */
__device__ inline float joinSink(float sink, float& maximum, float& total) {
  const float highest = fmaxf(maximum, sink), keep = expf(maximum - highest);
  total = total * keep + expf(sink - highest);
  maximum = highest;
  return keep;
}

}  // namespace anneal::cuda
