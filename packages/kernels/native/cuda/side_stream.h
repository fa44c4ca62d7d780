#pragma once

#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace anneal {
struct PlannedLaunch;
}

namespace anneal::cuda {

/**
 * A second stream, for launches that are too short to fill the device. Events order it against the main one, as the plan says. All of
 * it can be recorded in a graph: in each series of launches it forks from the main stream, and it joins that at the end.
 */
class SideStream {
 public:
  explicit SideStream(cudaStream_t main);
  ~SideStream();
  SideStream(const SideStream&) = delete;
  SideStream& operator=(const SideStream&) = delete;

  /** Of launches from number `first` on. `in_turn`: all of them go to the main stream. */
  void beginSeries(size_t first, bool in_turn);
  /** The stream that the launch goes to; it waits there for what the launch comes after. */
  cudaStream_t begin(const PlannedLaunch& launch);
  void ended(const PlannedLaunch& launch, size_t number);
  void endSeries();
  void abandonSeries() noexcept;

  /** Waits until all of it is done. */
  cudaError_t synchronize() const { return cudaStreamSynchronize(stream_); }

 private:
  cudaEvent_t eventOf(size_t number);

  cudaStream_t main_, stream_ = nullptr;
  cudaEvent_t begun_ = nullptr, ended_ = nullptr;
  /** By number of the launch: recorded when one is awaited by the other stream. */
  std::vector<cudaEvent_t> events_;
  size_t first_ = 0;
  bool in_turn_ = false, has_forked_ = false;
};

}  // namespace anneal::cuda
