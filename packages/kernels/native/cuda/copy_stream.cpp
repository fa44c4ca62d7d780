#include "cuda/copy_stream.h"

#include <algorithm>

#include "cuda/events.h"

namespace anneal::cuda {

CopyStream::CopyStream(cudaStream_t main) : main_(main), fork_(createEvent()) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
}

CopyStream::~CopyStream() {
  cudaStreamSynchronize(stream_);
  for (cudaEvent_t event : ended_) cudaEventDestroy(event);
  cudaEventDestroy(fork_);
  cudaStreamDestroy(stream_);
}

void CopyStream::start(size_t ticket, char* target, const char* source, uint64_t bytes) {
  while (ended_.size() <= ticket) ended_.push_back(createEvent());
  record(fork_, main_);
  waitFor(fork_, stream_);
  if (bytes > 0) check(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDefault, stream_), "copying beside the kernels");
  record(ended_[ticket], stream_);
  pending_.push_back(ticket);
}

void CopyStream::wait(size_t ticket) {
  const auto at = std::find(pending_.begin(), pending_.end(), ticket);
  if (at == pending_.end()) return;
  waitFor(ended_[ticket], main_);
  pending_.erase(pending_.begin(), at + 1);  // copies end in order
}

void CopyStream::join() {
  if (!pending_.empty()) wait(pending_.back());
}

}  // namespace anneal::cuda
