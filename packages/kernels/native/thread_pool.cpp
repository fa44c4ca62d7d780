#include "thread_pool.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace anneal {
namespace {

constexpr auto kSpin = std::chrono::microseconds(50);
constexpr int kPausesPerClockRead = 64;

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/** True as soon as `ready()` holds, false when it does not within kSpin. */
template <typename Ready>
bool spinUntil(Ready ready) {
  const auto deadline = std::chrono::steady_clock::now() + kSpin;
  do {
    for (int i = 0; i < kPausesPerClockRead; i++) {
      if (ready()) return true;
      pause();
    }
  } while (std::chrono::steady_clock::now() < deadline);
  return false;
}

}  // namespace

struct ThreadPool::Shared {
  // The indices not yet claimed. A worker reads the job only after it has claimed one: the job cannot end, and so cannot be
  // replaced, before that index is done. The caller writes the job before it publishes `unclaimed`.
  alignas(64) std::atomic<int64_t> unclaimed{0};
  alignas(64) std::atomic<int64_t> unfinished{0};
  alignas(64) std::atomic<bool> stopping{false};
  int64_t count = 0;
  Task task = nullptr;
  void* argument = nullptr;

  std::mutex mutex;
  std::condition_variable work_came, work_done;
  std::atomic<int> sleeping_workers{0};
  std::atomic<bool> caller_sleeps{false};
  std::vector<std::thread> workers;

  void takePart(int thread) {
    int64_t left = unclaimed.load();
    while (left > 0) {
      if (!unclaimed.compare_exchange_weak(left, left - 1)) continue;
      task(argument, count - left, thread);
      finishOne();
      left = unclaimed.load();
    }
  }

  void finishOne() {
    if (unfinished.fetch_sub(1) == 1 && caller_sleeps.load()) {
      std::lock_guard<std::mutex> lock(mutex);
      work_done.notify_one();
    }
  }

  void serve(int thread) {
    const auto ready = [this] { return unclaimed.load() > 0 || stopping.load(); };
    while (!stopping.load()) {
      if (!spinUntil(ready)) {
        std::unique_lock<std::mutex> lock(mutex);
        sleeping_workers.fetch_add(1);
        work_came.wait(lock, ready);
        sleeping_workers.fetch_sub(1);
      }
      takePart(thread);
    }
  }

  void wake() {
    if (sleeping_workers.load() == 0) return;
    std::lock_guard<std::mutex> lock(mutex);
    work_came.notify_all();
  }

  void awaitEnd() {
    const auto done = [this] { return unfinished.load() == 0; };
    if (spinUntil(done)) return;
    std::unique_lock<std::mutex> lock(mutex);
    caller_sleeps.store(true);
    work_done.wait(lock, done);
    caller_sleeps.store(false);
  }

  void stop() {
    stopping.store(true);
    {
      std::lock_guard<std::mutex> lock(mutex);
      work_came.notify_all();
    }
    for (std::thread& worker : workers) worker.join();
  }
};

ThreadPool::ThreadPool(int threads) : threads_(threads < 1 ? 1 : threads) {
  auto shared = std::make_unique<Shared>();
  try {
    for (int thread = 1; thread < threads_; thread++) {
      shared->workers.emplace_back([state = shared.get(), thread] { state->serve(thread); });
    }
  } catch (...) {
    shared->stop();
    throw;
  }
  shared_ = shared.release();
}

ThreadPool::~ThreadPool() {
  shared_->stop();
  delete shared_;
}

void ThreadPool::run(int64_t count, Task task, void* argument) {
  if (threads_ == 1 || count <= 1) {
    for (int64_t index = 0; index < count; index++) task(argument, index, 0);
    return;
  }
  Shared& shared = *shared_;
  shared.count = count;
  shared.task = task;
  shared.argument = argument;
  shared.unfinished.store(count);
  shared.unclaimed.store(count);
  shared.wake();
  shared.takePart(0);
  shared.awaitEnd();
}

}  // namespace anneal
