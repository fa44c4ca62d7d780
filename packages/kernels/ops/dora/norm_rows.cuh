#pragma once

#include "kernel.h"

namespace anneal::cuda {

/** The rows of up to three linears that lie beside each other. */
struct NormRows {
  int ends[3];

  /** @param first, second rows of the first two */
  NormRows(int rows, int first, int second)
      : ends{first < rows ? first : rows, first + second < rows ? first + second : rows, rows} {}

  __host__ __device__ int begin(int linear) const { return linear == 0 ? 0 : ends[linear - 1]; }
  __host__ __device__ int end(int linear) const { return ends[linear]; }
  int total() const { return ends[2]; }

  /** Blocks of so many rows of one linear: (block, linear). */
  dim3 grid(int each) const {
    int longest = 0, linears = 0;
    for (int i = 0; i < 3; i++) {
      const int count = end(i) - begin(i);
      if (count > 0) linears = i + 1;
      if (count > longest) longest = count;
    }
    return dim3(static_cast<unsigned>((longest + each - 1) / each), static_cast<unsigned>(linears));
  }
};

}  // namespace anneal::cuda
