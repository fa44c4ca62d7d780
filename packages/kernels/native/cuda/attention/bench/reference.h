#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "../shape.h"

namespace anneal::cuda {

using Floats = std::vector<float>;

/** Attention and its gradients in float64. `ends` is cu_seqlens on the host; with `start` >= 0 the queries are at positions start … against a cache. */
struct Reference {
  std::vector<double> out, lse, dq, dk, dv;

  Reference(const AttentionShape& s, const std::vector<int32_t>& ends, int start, const Floats& q, const Floats& k, const Floats& v,
            const Floats& d_out)
      : out(q.size()), lse(size_t(s.heads) * s.tokens), dq(q.size()), dk(k.size()), dv(v.size()) {
    const int size = s.head_size, group = s.heads / s.kv_heads;
    std::vector<double> weight(s.tokens + std::max(start, 0)), d_weight(weight.size()), slope(weight.size());
    for (int d = 0; d < s.documents; d++) {
      for (int i = ends[d]; i < ends[d + 1]; i++) {
        for (int h = 0; h < s.heads; h++) {
          const int last = i + std::max(start, 0);
          int first = start >= 0 ? 0 : ends[d];
          if (s.window > 0 && last - s.window + 1 > first) first = last - s.window + 1;
          const int64_t query = (int64_t(i) * s.heads + h) * size;
          const auto key = [&](int j) { return (int64_t(j) * s.kv_heads + h / group) * size; };
          double highest = -INFINITY, total = 0, delta = 0;
          for (int j = first; j <= last; j++) {
            double score = 0;
            for (int c = 0; c < size; c++) score += double(q[query + c]) * k[key(j) + c];
            score *= s.scale;
            if (s.soft_cap != 0) score = s.soft_cap * std::tanh(score / s.soft_cap);
            slope[j] = s.soft_cap != 0 ? 1 - score / s.soft_cap * (score / s.soft_cap) : 1;
            highest = std::max(highest, weight[j] = score);
          }
          for (int j = first; j <= last; j++) total += weight[j] = std::exp(weight[j] - highest);
          lse[int64_t(h) * s.tokens + i] = highest + std::log(total);
          for (int j = first; j <= last; j++) {
            weight[j] /= total;
            d_weight[j] = 0;
            for (int c = 0; c < size; c++) {
              out[query + c] += weight[j] * v[key(j) + c];
              d_weight[j] += double(d_out[query + c]) * v[key(j) + c];
              dv[key(j) + c] += weight[j] * d_out[query + c];
            }
            delta += weight[j] * d_weight[j];
          }
          for (int j = first; j <= last; j++) {
            const double d_score = weight[j] * (d_weight[j] - delta) * slope[j] * s.scale;
            for (int c = 0; c < size; c++) {
              dq[query + c] += d_score * k[key(j) + c];
              dk[key(j) + c] += d_score * q[query + c];
            }
          }
        }
      }
    }
  }
};

/**
 * Largest square error of a row of `size` values relative to the row, or to a fifth of a mean row where it is smaller; a NaN, or a value that
 * was not written, counts as infinite. Gradients that are all zero (a window of one key) are measured against 1.
 */
template <typename Expected>
double rowError(const Floats& got, const Expected& expected, int size) {
  double power = 0, worst = 0;
  for (double x : expected) power += x * x;
  const double mean = power / std::max<size_t>(expected.size(), 1), floor = size * (mean < 1e-6 ? 0.02 : 0.2 * mean);
  for (size_t row = 0; row < got.size(); row += size) {
    double difference = 0, own = 0;
    for (size_t i = row; i < row + size; i++) {
      difference += (got[i] - expected[i]) * (got[i] - expected[i]);
      own += double(expected[i]) * expected[i];
    }
    const double error = difference / std::max(own, floor);
    worst = error == error ? std::max(worst, error) : INFINITY;
  }
  return worst;
}

}  // namespace anneal::cuda
