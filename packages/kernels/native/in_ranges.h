#pragma once

#include <cstdint>

#include "thread_pool.h"

namespace anneal {

/** Calls body(first, count) for consecutive ranges of `grain` items on all threads. */
template <class Body>
void inRanges(ThreadPool& pool, int64_t count, int64_t grain, const Body& body) {
  struct Work {
    const Body* body;
    int64_t count, grain;
  } work{&body, count, grain};
  pool.run(
      (count + grain - 1) / grain,
      [](void* argument, int64_t index, int) {
        const Work& w = *static_cast<Work*>(argument);
        const int64_t first = index * w.grain, left = w.count - first;
        (*w.body)(first, left < w.grain ? left : w.grain);
      },
      &work);
}

}  // namespace anneal
