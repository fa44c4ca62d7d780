#pragma once

#include <cstddef>

#include "thread_pool.h"

namespace anneal {

/** Scratch each thread owns while it runs an index; holds packed panels, never results. Counted by the planner as workspace. */
constexpr size_t kScratchBytesPerThread = size_t{2} << 20;

/** What every CPU kernel is given: the threads, and 64-byte aligned scratch of which thread t owns [t, t + 1) × scratch_bytes_per_thread. */
struct Context {
  ThreadPool* pool;
  char* scratch;
  size_t scratch_bytes_per_thread;
};

}  // namespace anneal
