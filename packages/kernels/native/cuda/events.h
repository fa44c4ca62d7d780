#pragma once

#include <cuda_runtime.h>

#include "cuda/check.h"

// Events that order streams, and measure nothing.

namespace anneal::cuda {

inline cudaEvent_t createEvent() {
  cudaEvent_t event;
  check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "creating an event");
  return event;
}

inline void record(cudaEvent_t event, cudaStream_t stream) { check(cudaEventRecord(event, stream), "recording an event"); }

/** What is enqueued to the stream from now on comes after what the event stands for. */
inline void waitFor(cudaEvent_t event, cudaStream_t stream) { check(cudaStreamWaitEvent(stream, event, 0), "waiting for an event"); }

}  // namespace anneal::cuda
