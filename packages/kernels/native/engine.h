#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "plan.h"
#include "thread_pool.h"

namespace anneal {

struct KernelSet;

/** Values for one input of a call; `bytes` may be fewer than planned when runtime extents are below their bounds. */
struct InputBytes {
  size_t input;
  std::vector<uint8_t> bytes;
};

struct Call {
  size_t program;
  int32_t dims[kRuntimeDims];
  std::vector<InputBytes> inputs;
};

/** A plan with its memory. Calls run one at a time, on whichever thread the caller chose; cancel() may come from another. */
class Engine {
 public:
  /** Throws std::runtime_error when the plan is invalid, a kernel is missing, or memory is short. */
  Engine(Plan plan, const KernelSet& kernels);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /** Runs the calls in order; stops before the next one when cancelled. Returns how many were run. Throws on bad values. */
  size_t run(const std::vector<Call>& calls);
  void cancel() { cancelled_ = true; }
  /** Forgets a cancel() that came before the calls to run next. */
  void resume() { cancelled_ = false; }

  const Plan& plan() const { return plan_; }
  char* at(uint64_t offset) { return arena_.get() + offset; }
  Context& context() { return context_; }

  /** Nanoseconds spent in each op since the last call of this function, when profiling is on. */
  struct Profile {
    std::string op;
    uint64_t nanoseconds, launches;
  };
  void setProfiling(bool on) { profiling_ = on; }
  std::vector<Profile> takeProfile();

 private:
  struct ReadyLaunch;
  struct ReadyProgram;

  void bind(ReadyProgram& program, const Call& call);

  Plan plan_;
  struct Unmap {
    size_t bytes;
    void operator()(char* memory) const;
  };
  std::unique_ptr<char, Unmap> arena_;
  std::unique_ptr<ThreadPool> pool_;
  Context context_{};
  std::vector<std::unique_ptr<ReadyProgram>> programs_;
  std::atomic<bool> cancelled_{false};
  bool profiling_ = false;
  std::vector<Profile> profile_;
};

}  // namespace anneal
