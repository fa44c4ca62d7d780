#pragma once

#include "../context.h"

namespace anneal::ANNEAL_ISA {

/**
 * Calls body(begin, end) for consecutive ranges of `grain` items over all threads. Ranges do not depend on the number of threads.
 * A single range runs in place, so small work never wakes a thread.
 */
template <class Body>
inline void parallelFor(Context& context, int64_t count, int64_t grain, const Body& body) {
  if (grain < 1) grain = 1;
  const int64_t ranges = (count + grain - 1) / grain;
  if (ranges <= 1 || context.pool->threads() == 1) {
    for (int64_t begin = 0; begin < count; begin += grain) body(begin, begin + grain < count ? begin + grain : count);
    return;
  }
  struct Work {
    const Body* body;
    int64_t count, grain;
  } work{&body, count, grain};
  context.pool->run(
      ranges,
      [](void* argument, int64_t index, int) {
        const Work& w = *static_cast<Work*>(argument);
        const int64_t begin = index * w.grain;
        (*w.body)(begin, begin + w.grain < w.count ? begin + w.grain : w.count);
      },
      &work);
}

/** Items of `size` floats that make a range worth handing to another thread (about 10 µs of streaming work). */
inline int64_t grainFor(int64_t size) { return size < 1 ? 16384 : (16384 + size - 1) / size; }

}  // namespace anneal::ANNEAL_ISA
