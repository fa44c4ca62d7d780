#pragma once

#include <cmath>
#include <string>

#include "cuda/attention/bench/device_problem.cuh"

// What checks of kernels in bf16 share, which compare them with those in float32 on the same values.

namespace anneal::cuda {

/** Of the root of squares; rounding each result to bf16 alone makes 2e-3. */
constexpr double kTolerance = 1.5e-2;

inline Buffer floatsOf(const Buffer& from) {
  Buffer to(from.count, DType::f32);
  const Floats values = from.read(from.raw());
  require(cudaMemcpy(to.data, values.data(), values.size() * 4, cudaMemcpyHostToDevice), "copy");
  return to;
}

/** Prints the errors of each output by its name, and adds to `wrong` what is off or has other bits the second time. */
inline void judge(const char* const* names, const std::vector<Floats>& expected, const std::vector<Floats>& first, const std::vector<Floats>& second,
                  std::string& wrong) {
  for (size_t i = 0; i < expected.size(); i++) {
    double error = 0, size = 0, most = 0, largest = 0;
    for (size_t e = 0; e < expected[i].size(); e++) {
      const double off = double(first[i][e]) - expected[i][e];
      error += off * off, size += double(expected[i][e]) * expected[i][e];
      most = std::isfinite(off) ? std::max(most, std::fabs(off)) : INFINITY;
      largest = std::max(largest, std::fabs(double(expected[i][e])));
    }
    // One token alone has no gradient of its decay.
    const double rms = size > 0 ? std::sqrt(error / size) : std::sqrt(error);
    std::printf(",\"%s\":\"%.1e %.1e\"", names[i], rms, most / largest);
    if (!(rms < kTolerance)) wrong += std::string(" ") + names[i];
    if (std::memcmp(first[i].data(), second[i].data(), first[i].size() * 4) != 0) wrong += std::string(" other bits of ") + names[i];
  }
}

}  // namespace anneal::cuda
