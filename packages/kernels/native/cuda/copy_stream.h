#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anneal::cuda {

/**
 * Copies between the device's memory and pinned memory of the host that run beside the kernels, on a stream of their own, in the order
 * in which they were started. All of it can be recorded in a graph: the stream forks from the main one at a copy and joins it at a wait.
 */
class CopyStream {
 public:
  explicit CopyStream(cudaStream_t main);
  ~CopyStream();
  CopyStream(const CopyStream&) = delete;
  CopyStream& operator=(const CopyStream&) = delete;

  /** Copies after what was enqueued to the main stream before. */
  void start(size_t ticket, char* target, const char* source, uint64_t bytes);
  /** What is enqueued to the main stream from now on comes after the copy. Nothing where it was waited for already. */
  void wait(size_t ticket);
  /** Waits for every copy, as the end of a recording must: nothing outside of it can wait for an event inside. */
  void join();

 private:
  cudaStream_t main_, stream_ = nullptr;
  cudaEvent_t fork_ = nullptr;
  /** By ticket: recorded when the copy ends. */
  std::vector<cudaEvent_t> ended_;
  /** Tickets that were not waited for, in the order of their copies. */
  std::vector<size_t> pending_;
};

}  // namespace anneal::cuda
