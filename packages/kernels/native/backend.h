#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "kernel.h"
#include "thread_pool.h"

namespace anneal {

struct Plan;
struct PlannedLaunch;

/** Bytes at an address of the plan. */
struct Range {
  uint64_t address, bytes;
};

/** What was enqueued and is not waited for yet. */
class Pending {
 public:
  virtual ~Pending() = default;
  /** Waits until all of it is done, and gives the results that were taken, in that order. Throws std::runtime_error where it failed, or met a bad value. */
  virtual std::vector<std::vector<char>> wait() = 0;
};

/** So many series of launches may be enqueued and not waited for: the device begins one when it has ended the other. */
constexpr int kMostPending = 2;

/**
 * One device: the plan's memory on it and the kernels that work there. Used by one thread at a time, beside which others may wait for
 * what is pending. What is enqueued runs in order; only `download` waits for it.
 */
class Backend {
 public:
  virtual ~Backend() = default;

  /** Where an address of the plan lies, of the device's memory or the host's. The device's starts as zero. */
  virtual char* at(uint64_t address) = 0;
  /** Throws std::runtime_error where the device has no kernel of that name. */
  virtual Kernel kernel(const std::string& op) = 0;
  /**
   * What the launch of this number is given, which is made next; `ended` follows it. Launches are made by series: none of one runs beside
   * those of the next. `in_turn`: nor beside those of its own.
   */
  virtual void beginSeries(size_t first, bool in_turn) = 0;
  virtual Context* begin(const PlannedLaunch& launch) = 0;
  virtual void ended(const PlannedLaunch& launch, size_t number) = 0;
  virtual void endSeries() = 0;
  /** Instead, where a launch has failed: what runs beside others is waited for as well, as far as that goes. */
  virtual void abandonSeries() noexcept = 0;

  /** What was wrong with the launch just made, where the device says so at once; else empty. */
  virtual std::string launchProblem() = 0;
  /**
   * Runs `launch`, or repeats what it enqueued in an earlier call with the same key, which it must then be the same as: all that
   * differs between calls of one key lies in the device's memory. A key begins with the numbers of a program and of a part of it; extents follow.
   */
  virtual void repeat(const std::vector<int32_t>& key, const std::function<void()>& launch) = 0;

  /** Threads of the host. */
  virtual ThreadPool& pool() = 0;

  /** Fills `bytes` at `target` with what `write` puts into the host memory it is given. */
  virtual void upload(char* target, uint64_t bytes, const std::function<void(char*)>& write) = 0;
  virtual void download(const char* source, uint64_t bytes, char* target) = 0;

  /** Begins a series of launches with results of so many bytes in all. */
  virtual void open(uint64_t result_bytes) = 0;
  /** Makes what lies there now a result of the series. */
  virtual void take(const Range& result) = 0;
  /** Ends the series. */
  virtual std::unique_ptr<Pending> close() = 0;

  /** For the profile: a mark after each launch, and the nanoseconds between them. */
  virtual void mark() = 0;
  virtual std::vector<uint64_t> takeIntervals() = 0;
};

/** `name`: an instruction set, or empty for the best one. Throws std::runtime_error when memory is short. */
std::unique_ptr<Backend> openCpu(const Plan& plan, const std::string& name);

}  // namespace anneal
