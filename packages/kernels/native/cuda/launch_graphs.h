#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

namespace anneal::cuda {

/**
 * Series of launches as CUDA graphs: one call starts what were hundreds. A series runs as it is when it comes first – the driver then
 * loads its kernels and cuBLASLt chooses its algorithms – is recorded when it comes again, and repeated from then on.
 */
class LaunchGraphs {
 public:
  /** With `enabled` false every series runs as it is. */
  LaunchGraphs(cudaStream_t stream, bool enabled) : stream_(stream), enabled_(enabled) {}
  ~LaunchGraphs();
  LaunchGraphs(const LaunchGraphs&) = delete;
  LaunchGraphs& operator=(const LaunchGraphs&) = delete;

  /** No series of the same part of the program has come, whatever its extents. */
  bool isFirstOfPart(const std::vector<int32_t>& key) const {
    const auto next = graphs_.lower_bound({key[0], key[1]});
    return next == graphs_.end() || !std::equal(key.begin(), key.begin() + 2, next->first.begin());
  }

  /**
   * Enqueues what `launch` enqueues to the stream, which is the same for equal keys. Throws std::runtime_error where it cannot be
   * recorded.
   */
  void run(const std::vector<int32_t>& key, const std::function<void()>& launch);

 private:
  /** Each holds memory of the device and of the host; series that come later run as they are. */
  static constexpr int kMost = 64;

  cudaGraphExec_t record(const std::function<void()>& launch) const;

  cudaStream_t stream_;
  bool enabled_;
  int recorded_ = 0;
  std::map<std::vector<int32_t>, cudaGraphExec_t> graphs_;  // null: came once
};

}  // namespace anneal::cuda
