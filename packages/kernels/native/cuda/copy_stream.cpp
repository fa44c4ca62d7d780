#include "cuda/copy_stream.h"

#include <algorithm>

#include "cuda/check.h"

namespace anneal::cuda {

CopyStream::CopyStream(cudaStream_t main) : main_(main) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
  check(cudaEventCreateWithFlags(&fork_, cudaEventDisableTiming), "creating an event");
}

CopyStream::~CopyStream() {
  cudaStreamSynchronize(stream_);
  for (cudaEvent_t event : ended_) cudaEventDestroy(event);
  cudaEventDestroy(fork_);
  cudaStreamDestroy(stream_);
}

void CopyStream::start(size_t ticket, char* target, const char* source, uint64_t bytes) {
  while (ended_.size() <= ticket) {
    cudaEvent_t event;
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event");
    ended_.push_back(event);
  }
  check(cudaEventRecord(fork_, main_), "recording an event");
  check(cudaStreamWaitEvent(stream_, fork_, 0), "waiting for an event");
  if (bytes > 0) check(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDefault, stream_), "copying beside the kernels");
  check(cudaEventRecord(ended_[ticket], stream_), "recording an event");
  pending_.push_back(ticket);
}

void CopyStream::wait(size_t ticket) {
  const auto at = std::find(pending_.begin(), pending_.end(), ticket);
  if (at == pending_.end()) return;
  check(cudaStreamWaitEvent(main_, ended_[ticket], 0), "waiting for an event");
  pending_.erase(pending_.begin(), at + 1);  // copies end in order
}

void CopyStream::join() {
  if (!pending_.empty()) wait(pending_.back());
}

}  // namespace anneal::cuda
