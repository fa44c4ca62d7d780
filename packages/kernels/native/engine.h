#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backend.h"
#include "convert.h"
#include "plan.h"
#include "weights/load.h"

namespace anneal {

/** Values for one input of a call; `bytes` may be fewer than planned when runtime extents are below their bounds. */
struct InputBytes {
  size_t input;
  std::vector<uint8_t> bytes;
};

struct Call {
  size_t program;
  int32_t dims[kRuntimeDims];
  std::vector<InputBytes> inputs;
  /** Wanted as they are after this call. */
  std::vector<Range> results;
};

/** What became of a run: how many of its calls were run, and the values that they wanted. */
struct Outcome {
  size_t done;
  std::vector<std::vector<char>> results;
};

/** A plan with its memory on a device. Its functions are called by one thread at a time, but for run() and cancel(). */
class Engine {
 public:
  /** `device`: `cpu:` and an instruction set, or `cuda:` and a number, with `:graphs` for CUDA graphs. Throws std::runtime_error when a kernel is missing or memory is short. */
  Engine(Plan plan, const std::string& device);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /** The place of the next run() among all. */
  uint64_t nextTurn() { return turns_++; }
  /**
   * Runs the calls in order; stops before the next one when cancelled. Throws on bad values. Up to kMostPending threads may be in
   * here: each hands its calls to the device when those of the turn before are there, and waits for its own.
   */
  Outcome run(uint64_t turn, const std::vector<Call>& calls);
  void cancel() { cancelled_ = true; }
  /** Forgets a cancel() that came before the calls to run next. */
  void resume() { cancelled_ = false; }

  const Plan& plan() const { return plan_; }
  /** Converts `count` values into the variable's own type, from element `first` on. */
  void write(const Place& variable, uint64_t first, const uint8_t* values, SourceType type, uint64_t count);
  /** As loadWeight and loadNf4 in weights/load.h. */
  LoadOutcome load(const Place& variable, const WeightSource& source) { return loadWeight(*backend_, variable, source); }
  Nf4Outcome load(const Nf4Variables& variables, const WeightSource& source) { return loadNf4(*backend_, variables, source); }
  /** Copies what lies at the place to the host. */
  void read(const Place& place, char* target);

  /** Nanoseconds spent in each op since the last call of this function, when profiling is on. */
  struct Profile {
    std::string op;
    uint64_t nanoseconds, launches;
  };
  void setProfiling(bool on) { profiling_ = on; }
  std::vector<Profile> takeProfile();

 private:
  struct ReadyLaunch;
  struct Segment;
  struct ReadyProgram;

  std::unique_ptr<Pending> submit(const std::vector<Call>& calls, size_t& done);
  void bind(ReadyProgram& program, const Call& call);
  void launch(const ReadyProgram& program, const Call& call);
  void launch(const ReadyProgram& program, size_t number);
  void collectProfile(const ReadyProgram& program);

  Plan plan_;
  std::unique_ptr<Backend> backend_;
  std::vector<std::unique_ptr<ReadyProgram>> programs_;
  uint64_t turns_ = 0;
  std::mutex turn_mutex_;
  std::condition_variable turn_came_;
  uint64_t turn_ = 0;
  std::atomic<bool> cancelled_{false};
  bool profiling_ = false;
  std::vector<Profile> profile_;
};

}  // namespace anneal
