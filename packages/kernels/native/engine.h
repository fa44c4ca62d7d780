#pragma once

#include <atomic>
#include <memory>
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
};

/** A plan with its memory on a device. Calls run one at a time, on whichever thread the caller chose; cancel() may come from another. */
class Engine {
 public:
  /** `device`: `cpu:` and an instruction set, or `cuda:` and a number, with `:graphs` for CUDA graphs. Throws std::runtime_error when a kernel is missing or memory is short. */
  Engine(Plan plan, const std::string& device);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /** Runs the calls in order; stops before the next one when cancelled. Returns how many were run. Throws on bad values. */
  size_t run(const std::vector<Call>& calls);
  void cancel() { cancelled_ = true; }
  /** Forgets a cancel() that came before the calls to run next. */
  void resume() { cancelled_ = false; }

  const Plan& plan() const { return plan_; }
  /** Converts `count` values into the variable's own type, from element `first` on. */
  void write(const Place& variable, uint64_t first, const uint8_t* values, SourceType type, uint64_t count);
  /** As loadWeight and loadNf4 in weights/load.h. */
  std::string load(const Place& variable, const WeightSource& source) { return loadWeight(*backend_, variable, source); }
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

  void bind(ReadyProgram& program, const Call& call);
  void launch(const ReadyProgram& program, const Call& call);
  void launch(const ReadyLaunch& ready);
  void collectProfile(const ReadyProgram& program);

  Plan plan_;
  std::unique_ptr<Backend> backend_;
  std::vector<std::unique_ptr<ReadyProgram>> programs_;
  std::atomic<bool> cancelled_{false};
  bool profiling_ = false;
  std::vector<Profile> profile_;
};

}  // namespace anneal
