#pragma once

#include <cuda_runtime.h>

#include <atomic>
#include <cstdint>

#include "events.h"
#include "staging.h"

namespace anneal::cuda {

/** What one series of launches needs of the host until it has been waited for: memory its values come from, and its results go to. */
class Turn {
 public:
  Turn() : done_(createEvent()) {}
  ~Turn() {
    if (results_) cudaFreeHost(results_);
    cudaEventDestroy(done_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  Staging& staging() { return staging_; }
  bool isOpen() const { return open_; }

  /** Pinned memory for results; what it held before is gone. */
  char* results(uint64_t bytes) {
    if (bytes <= room_) return results_;
    if (results_) check(cudaFreeHost(results_), "freeing pinned memory");
    results_ = nullptr;
    room_ = 0;
    check(cudaMallocHost(reinterpret_cast<void**>(&results_), bytes), "allocating pinned memory");
    room_ = bytes;
    return results_;
  }

  void close(cudaStream_t stream) {
    record(done_, stream);
    open_ = true;
  }
  void wait() { check(cudaEventSynchronize(done_), "waiting for the device"); }
  /** Its memory may be used again. */
  void end() {
    staging_.reset();
    open_ = false;
  }

 private:
  Staging staging_;
  char* results_ = nullptr;
  uint64_t room_ = 0;
  cudaEvent_t done_ = nullptr;
  std::atomic<bool> open_{false};
};

}  // namespace anneal::cuda
