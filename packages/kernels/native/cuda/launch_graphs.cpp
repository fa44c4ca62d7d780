#include "cuda/launch_graphs.h"

#include "cuda/check.h"

namespace anneal::cuda {

LaunchGraphs::~LaunchGraphs() {
  for (const auto& [key, graph] : graphs_)
    if (graph) cudaGraphExecDestroy(graph);
}

void LaunchGraphs::run(const std::vector<int32_t>& key, const std::function<void()>& launch) {
  const auto [at, is_new] = graphs_.try_emplace(key, nullptr);
  if (!enabled_ || is_new || (!at->second && recorded_ == kMost)) return launch();
  if (!at->second) {
    at->second = record(launch);
    recorded_++;
  }
  check(cudaGraphLaunch(at->second, stream_), "launching a graph");
}

cudaGraphExec_t LaunchGraphs::record(const std::function<void()>& launch) const {
  cudaGraph_t graph = nullptr;
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "beginning to record a graph");
  try {
    launch();
  } catch (...) {
    cudaStreamEndCapture(stream_, &graph);
    if (graph) cudaGraphDestroy(graph);
    throw;
  }
  check(cudaStreamEndCapture(stream_, &graph), "recording a graph");
  cudaGraphExec_t executable = nullptr;
  const cudaError_t error = cudaGraphInstantiate(&executable, graph, 0);
  cudaGraphDestroy(graph);
  check(error, "preparing a graph");
  return executable;
}

}  // namespace anneal::cuda
