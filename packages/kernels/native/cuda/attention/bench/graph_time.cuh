#pragma once

#include <algorithm>
#include <vector>

#include "device_problem.cuh"

namespace anneal::cuda {

/** Of launches captured as a CUDA graph, as the engine runs them: the host's part is not in it. */
template <typename Run>
double medianMilliseconds(Run run) {
  constexpr int kRuns = 21;
  cudaStream_t stream;
  cudaGraph_t graph;
  cudaGraphExec_t launches;
  cudaEvent_t events[kRuns + 1];
  require(cudaStreamCreate(&stream), "stream");
  require(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "capture");
  run(stream);
  require(cudaStreamEndCapture(stream, &graph), "capture");
  require(cudaGraphInstantiate(&launches, graph, 0), "graph");
  for (cudaEvent_t& event : events) require(cudaEventCreate(&event), "event");
  for (int i = 0; i < 3; i++) require(cudaGraphLaunch(launches, stream), "launch");
  for (int i = 0; i <= kRuns; i++) {
    require(cudaEventRecord(events[i], stream), "record");
    if (i < kRuns) require(cudaGraphLaunch(launches, stream), "launch");
  }
  require(cudaStreamSynchronize(stream), "time");
  std::vector<float> times(kRuns);
  for (int i = 0; i < kRuns; i++) require(cudaEventElapsedTime(&times[i], events[i], events[i + 1]), "elapsed");
  for (cudaEvent_t event : events) cudaEventDestroy(event);
  cudaGraphExecDestroy(launches), cudaGraphDestroy(graph), cudaStreamDestroy(stream);
  std::sort(times.begin(), times.end());
  return times[kRuns / 2];
}

}  // namespace anneal::cuda
