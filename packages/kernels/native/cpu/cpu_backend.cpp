#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

#include "../backend.h"
#include "../plan.h"
#include "kernel_sets.h"

namespace anneal {
namespace {

/** Launches have ended when they return. */
struct Done : Pending {
  std::vector<std::vector<char>> values;
  std::vector<std::vector<char>> wait() override { return std::move(values); }
};

class CpuBackend : public Backend {
 public:
  CpuBackend(const Plan& plan, const KernelSet& kernels) : kernels_(kernels), pool_(plan.threads) {
    // Where a plan asks for memory of the host, as those for other devices do, it lies behind the arena.
    host_ = (plan.total_bytes + 63) / 64 * 64;
    const size_t bytes = std::max<uint64_t>(host_ + plan.host_bytes, 64);
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("out of memory: " + std::to_string(bytes) + " bytes could not be reserved");
    arena_ = {static_cast<char*>(memory), Unmap{bytes}};
#ifdef MADV_HUGEPAGE
    madvise(memory, bytes, MADV_HUGEPAGE);  // matrix products walk many rows at once: 4 KiB pages cost 5-10 % in TLB misses
#endif
#ifdef MADV_POPULATE_WRITE
    // Touch every page now: memory that is not there shows here, not in the middle of a run. Kernels before 5.14 do it on first use.
    if (madvise(memory, bytes, MADV_POPULATE_WRITE) != 0 && errno == ENOMEM)
      throw std::runtime_error("out of memory: the plan's " + std::to_string(bytes) + " bytes are not free");
#endif
    context_ = {&pool_, arena_.get() + plan.scratch_offset, plan.scratch_bytes_per_thread};
  }

  char* at(uint64_t address) override { return arena_.get() + (address < kHostBase ? address : host_ + (address - kHostBase)); }

  Kernel kernel(const std::string& op) override {
    for (const KernelEntry* entry = kernels_.kernels; entry->name; entry++)
      if (op == entry->name) return entry->kernel;
    throw std::runtime_error("no CPU kernel for op " + op);
  }

  void beginSeries(size_t, bool) override {}
  Context* begin(const PlannedLaunch&) override { return &context_; }
  void ended(const PlannedLaunch&, size_t) override {}
  void endSeries() override {}
  void abandonSeries() noexcept override {}
  std::string launchProblem() override { return {}; }
  void repeat(const std::vector<int32_t>&, const std::function<void()>& launch) override { launch(); }
  ThreadPool& pool() override { return pool_; }
  void upload(char* target, uint64_t, const std::function<void(char*)>& write) override { write(target); }
  void download(const char* source, uint64_t bytes, char* target) override {
    if (bytes > 0) std::memcpy(target, source, bytes);  // an empty buffer has no address
  }
  void open(uint64_t) override { done_ = std::make_unique<Done>(); }
  void take(const Range& result) override { done_->values.emplace_back(at(result.address), at(result.address) + result.bytes); }
  std::unique_ptr<Pending> close() override { return std::move(done_); }

  void mark() override { marks_.push_back(std::chrono::steady_clock::now()); }
  std::vector<uint64_t> takeIntervals() override {
    std::vector<uint64_t> intervals;
    for (size_t i = 1; i < marks_.size(); i++)
      intervals.push_back(std::chrono::duration_cast<std::chrono::nanoseconds>(marks_[i] - marks_[i - 1]).count());
    marks_.clear();
    return intervals;
  }

 private:
  struct Unmap {
    size_t bytes;
    void operator()(char* memory) const { munmap(memory, bytes); }
  };

  const KernelSet& kernels_;
  std::unique_ptr<char, Unmap> arena_;
  uint64_t host_;
  ThreadPool pool_;
  Context context_{};
  std::unique_ptr<Done> done_;
  std::vector<std::chrono::steady_clock::time_point> marks_;
};

}  // namespace

std::unique_ptr<Backend> openCpu(const Plan& plan, const std::string& name) {
  const KernelSet* kernels = findKernelSet(name.c_str());
  if (!kernels) throw std::runtime_error("this processor does not run the instruction set " + name);
  return std::make_unique<CpuBackend>(plan, *kernels);
}

}  // namespace anneal
