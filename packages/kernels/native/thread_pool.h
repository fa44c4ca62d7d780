#pragma once

#include <cstdint>

namespace anneal {

/**
 * A fixed set of threads that stays alive between kernels. Idle workers spin for about 50 µs, as the next kernel of a step
 * usually follows at once, then sleep.
 *
 * One thread at a time may call run(), and a task must neither call it nor throw. Which thread takes which index is not
 * determined: a kernel's result must depend on the index alone, so that it has the same bits with any number of threads.
 */
class ThreadPool {
 public:
  using Task = void (*)(void* argument, int64_t index, int thread);

  /** Starts `threads` - 1 workers; the caller of run() is thread 0. Throws std::system_error when the system has no thread to give. */
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /** Calls task(argument, index, thread) for every index in [0, count), in order of claim, and returns when all are done. */
  void run(int64_t count, Task task, void* argument);

  int threads() const { return threads_; }

 private:
  struct Shared;
  Shared* shared_;  // hides <atomic> and <thread> from the units compiled once per instruction set
  int threads_;
};

}  // namespace anneal
