#include "cuda/side_stream.h"

#include "cuda/events.h"
#include "plan.h"

namespace anneal::cuda {

SideStream::SideStream(cudaStream_t main) : main_(main), begun_(createEvent()), ended_(createEvent()) {
  check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
}

SideStream::~SideStream() {
  cudaStreamSynchronize(stream_);
  for (cudaEvent_t event : events_)
    if (event) cudaEventDestroy(event);
  cudaEventDestroy(begun_);
  cudaEventDestroy(ended_);
  cudaStreamDestroy(stream_);
}

void SideStream::beginSeries(size_t first, bool in_turn) {
  first_ = first;
  in_turn_ = in_turn;
  has_forked_ = false;
  if (!in_turn) record(begun_, main_);
}

cudaStream_t SideStream::begin(const PlannedLaunch& launch) {
  if (in_turn_) return main_;
  const cudaStream_t stream = launch.beside ? stream_ : main_;
  // What the series before did has ended where this one begins.
  const bool waits = launch.after >= 0 && static_cast<size_t>(launch.after) >= first_;
  if (waits) waitFor(eventOf(launch.after), stream);
  else if (launch.beside && !has_forked_) waitFor(begun_, stream_);
  has_forked_ |= launch.beside;
  return stream;
}

void SideStream::ended(const PlannedLaunch& launch, size_t number) {
  if (launch.is_awaited && !in_turn_) record(eventOf(number), launch.beside ? stream_ : main_);
}

void SideStream::endSeries() {
  if (!has_forked_) return;
  record(ended_, stream_);
  waitFor(ended_, main_);
}

void SideStream::abandonSeries() noexcept {
  if (has_forked_ && cudaEventRecord(ended_, stream_) == cudaSuccess) cudaStreamWaitEvent(main_, ended_, 0);
}

cudaEvent_t SideStream::eventOf(size_t number) {
  if (events_.size() <= number) events_.resize(number + 1);
  if (!events_[number]) events_[number] = createEvent();
  return events_[number];
}

}  // namespace anneal::cuda
