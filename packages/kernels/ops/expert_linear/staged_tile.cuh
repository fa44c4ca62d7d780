#pragma once

#include "cuda/vectors.cuh"

namespace anneal::cuda {

constexpr int kStageVector = 8;

/**
 * A part of an operand in shared memory, as elements that lie beside each other in memory do there: [rows][depth] of the sum, or, with kAcross,
 * [depth][rows]. Lines are 16 bytes apart from a power of two, against conflicts of banks.
 */
template <typename To, int kRows, int kDepth, bool kAcross>
struct StagedTile {
  static constexpr int kLines = kAcross ? kDepth : kRows, kLength = kAcross ? kRows : kDepth, kStride = kLength + 16 / static_cast<int>(sizeof(To));
  To elements[kLines * kStride];

  __device__ To at(int row, int depth) const { return kAcross ? elements[depth * kStride + row] : elements[row * kStride + depth]; }

  /** Lines line … lines - 1 and elements first … end - 1 of them; what lies outside is 0. `vectors`: all of it divides by 8. */
  template <int kThreads, typename From>
  __device__ void load(const From* from, int64_t stride, int line, int lines, int first, int end, bool vectors) {
    static_assert(kLength % kStageVector == 0);
    constexpr int kEach = kLength / kStageVector;
    for (int i = static_cast<int>(threadIdx.x); i < kLines * kEach; i += kThreads) {
      const int l = i / kEach, e = i % kEach * kStageVector;
      const From* source = from + (int64_t{line} + l) * stride + first + e;
      float values[kStageVector] = {};
      if (line + l < lines && first + e < end) {
        if (vectors) {
          cuda::load<kStageVector>(source, values);
        } else {
#pragma unroll
          for (int j = 0; j < kStageVector; j++)
            if (first + e + j < end) values[j] = toFloat(source[j]);
        }
      }
      store<kStageVector>(elements + l * kStride + e, values);
    }
  }
};

}  // namespace anneal::cuda
