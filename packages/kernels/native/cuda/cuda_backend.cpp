#include "cuda_backend.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <thread>

#include "../plan.h"
#include "blas.h"
#include "check.h"
#include "copy_stream.h"
#include "cuda_context.h"
#include "device_memory.h"
#include "kernels.h"
#include "launch_graphs.h"
#include "side_stream.h"
#include "turn.h"

namespace anneal {
namespace cuda {
namespace {

const char* describe(Fault fault) {
  switch (fault) {
    case Fault::none: return "";
    case Fault::token: return "a token id lies outside the vocabulary";
    case Fault::label: return "a label lies outside the vocabulary";
    case Fault::row: return "a row index is out of range";
    case Fault::position: return "a position lies outside the cache";
  }
  return "a value is out of range";
}

class CudaBackend : public Backend {
 public:
  CudaBackend(const Plan& plan, int index, bool graphs) : index_(opened(index)) {
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "creating a stream");
    graphs_ = std::make_unique<LaunchGraphs>(stream_, graphs);
    copies_ = std::make_unique<CopyStream>(stream_);
    side_ = std::make_unique<SideStream>(stream_);
    arena_ = allocateDevice(std::max<uint64_t>(plan.total_bytes, 64), stream_, "the plan");
    if (plan.host_bytes > 0) host_ = allocateHost(plan.host_bytes);
    fault_ = allocateDevice(sizeof(int32_t), stream_, "a flag");
    blas_ = openBlas(kWorkspaceBytes);
    side_blas_ = openBlas(kSideWorkspaceBytes);
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, index), "asking for the device's properties");
    context_.stream = stream_;
    context_.multiprocessors = properties.multiProcessorCount;
    context_.fault = reinterpret_cast<int32_t*>(fault_.get());
    context_.blas = blas_.get();
    context_.copies = copies_.get();
    side_context_ = context_;
    side_context_.blas = side_blas_.get();
  }

  ~CudaBackend() override {
    cudaSetDevice(index_);
    cudaStreamSynchronize(stream_);
    for (cudaEvent_t event : events_) cudaEventDestroy(event);
    copies_.reset();
    side_.reset();
    graphs_.reset();
    blas_.reset();
    side_blas_.reset();
    cudaStreamDestroy(stream_);
  }

  char* at(uint64_t address) override { return address < kHostBase ? arena_.get() + address : host_.get() + (address - kHostBase); }

  void beginSeries(size_t first, bool in_turn) override {
    check(cudaSetDevice(index_), "using the device");  // calls come from any of Node's worker threads
    side_->beginSeries(first, in_turn);
  }

  /** One that may run beside others has its own cuBLASLt, also where it does not: the same algorithms, the same bits. */
  Context* begin(const PlannedLaunch& launch) override {
    CudaContext& context = launch.beside ? side_context_ : context_;
    context.stream = side_->begin(launch);
    return &context;
  }

  void ended(const PlannedLaunch& launch, size_t number) override { side_->ended(launch, number); }
  void endSeries() override { side_->endSeries(); }
  void abandonSeries() noexcept override { side_->abandonSeries(); }

  std::string launchProblem() override {
    cudaError_t error = cudaGetLastError();
    if (error == cudaSuccess && waits_) error = cudaStreamSynchronize(stream_);
    if (error == cudaSuccess && waits_) error = side_->synchronize();
    return error == cudaSuccess ? std::string() : errorText(error);
  }

  /** Waits after each launch of a part that comes first, so that a launch that fails there is known by its op. */
  void repeat(const std::vector<int32_t>& key, const std::function<void()>& launch) override {
    waits_ = graphs_->isFirstOfPart(key);
    if (waits_) check(cudaStreamSynchronize(stream_), "waiting for the device");
    graphs_->run(key, [&] {
      launch();
      copies_->join();
    });
    waits_ = false;
  }

  Kernel kernel(const std::string& op) override {
    for (const KernelEntry* entry = kernels(); entry->name; entry++)
      if (op == entry->name) return entry->kernel;
    throw std::runtime_error("no CUDA kernel for op " + op);
  }

  /** Weights are read by them; between loads they sleep. */
  ThreadPool& pool() override {
    if (!pool_) pool_ = std::make_unique<ThreadPool>(static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1u, 16u)));
    return *pool_;
  }

  void upload(char* target, uint64_t bytes, const std::function<void(char*)>& write) override {
    if (bytes == 0) return;
    check(cudaSetDevice(index_), "using the device");
    char* piece = currentTurn().staging().take(bytes, stream_);
    write(piece);
    check(cudaMemcpyAsync(target, piece, bytes, cudaMemcpyDefault, stream_), "copying to the device");
  }

  void download(const char* source, uint64_t bytes, char* target) override {
    check(cudaSetDevice(index_), "using the device");
    if (bytes > 0) check(cudaMemcpyAsync(target, source, bytes, cudaMemcpyDefault, stream_), "copying from the device");
    check(cudaStreamSynchronize(stream_), "waiting for the device");
  }

  /** The results of a turn lie one after another, the fault behind them. */
  void open(uint64_t result_bytes) override {
    check(cudaSetDevice(index_), "using the device");
    next_ = currentTurn().results(result_bytes + sizeof(int32_t));
    taken_.clear();
  }

  void take(const Range& result) override {
    copies_->join();
    copyOut(at(result.address), result.bytes);
    taken_.push_back(result.bytes);
  }

  std::unique_ptr<Pending> close() override {
    check(cudaGetLastError(), "launching");
    copies_->join();
    copyOut(fault_.get(), sizeof(int32_t));
    Turn& turn = currentTurn();
    turn.close(stream_);
    turn_ = (turn_ + 1) % kMostPending;
    return std::make_unique<Enqueued>(*this, turn, taken_);
  }

  std::vector<std::vector<char>> wait(Turn& turn, const std::vector<uint64_t>& sizes) {
    check(cudaSetDevice(index_), "using the device");
    turn.wait();
    const char* from = turn.results(0);
    std::vector<std::vector<char>> values;
    for (const uint64_t bytes : sizes) {
      values.emplace_back(from, from + bytes);
      from += bytes;
    }
    int32_t fault;
    std::memcpy(&fault, from, sizeof fault);
    turn.end();
    if (fault == 0) return values;
    check(cudaMemsetAsync(fault_.get(), 0, sizeof fault, stream_), "clearing a flag");
    throw std::runtime_error(describe(static_cast<Fault>(fault)));
  }

  void mark() override {
    if (marks_ == events_.size()) {
      cudaEvent_t event;
      check(cudaEventCreate(&event), "creating an event");
      events_.push_back(event);
    }
    check(cudaEventRecord(events_[marks_++], stream_), "recording an event");
  }

  std::vector<uint64_t> takeIntervals() override {
    check(cudaStreamSynchronize(stream_), "waiting for the device");
    std::vector<uint64_t> intervals;
    for (size_t i = 1; i < marks_; i++) {
      float milliseconds = 0;
      check(cudaEventElapsedTime(&milliseconds, events_[i - 1], events_[i]), "reading an event");
      intervals.push_back(static_cast<uint64_t>(milliseconds * 1e6f));
    }
    marks_ = 0;
    return intervals;
  }

 private:
  struct Enqueued : Pending {
    CudaBackend& backend;
    Turn& turn;
    std::vector<uint64_t> sizes;
    Enqueued(CudaBackend& of, Turn& waited, std::vector<uint64_t> taken) : backend(of), turn(waited), sizes(std::move(taken)) {}
    std::vector<std::vector<char>> wait() override { return backend.wait(turn, sizes); }
  };

  void copyOut(const char* from, uint64_t bytes) {
    if (bytes > 0) check(cudaMemcpyAsync(next_, from, bytes, cudaMemcpyDefault, stream_), "copying from the device");
    next_ += bytes;
  }

  static int opened(int index) {
    check(cudaSetDevice(index), "opening the device");
    return index;
  }

  static std::unique_ptr<Blas> openBlas(size_t workspace_bytes) {
    std::string problem;
    std::unique_ptr<Blas> blas = Blas::open(workspace_bytes, problem);
    if (!blas) throw std::runtime_error(problem);
    return blas;
  }

  Turn& currentTurn() {
    if (turns_[turn_].isOpen()) throw std::logic_error("the device has as many series of launches as may be pending");
    return turns_[turn_];
  }

  /** First, as the events of `turns_` belong to the device that is the thread's when they are made. */
  int index_;
  cudaStream_t stream_ = nullptr;
  DeviceMemory arena_, fault_;
  HostMemory host_;
  std::unique_ptr<Blas> blas_, side_blas_;
  std::unique_ptr<LaunchGraphs> graphs_;
  std::unique_ptr<CopyStream> copies_;
  std::unique_ptr<SideStream> side_;
  Turn turns_[kMostPending];
  int turn_ = 0;
  /** Of the series that is open: where its next result goes, and the bytes of those before. */
  char* next_ = nullptr;
  std::vector<uint64_t> taken_;
  std::unique_ptr<ThreadPool> pool_;
  CudaContext context_{}, side_context_{};
  std::vector<cudaEvent_t> events_;
  size_t marks_ = 0;
  bool waits_ = false;
};

}  // namespace
}  // namespace cuda

std::unique_ptr<Backend> openCuda(const Plan& plan, int index, bool graphs) { return std::make_unique<cuda::CudaBackend>(plan, index, graphs); }

}  // namespace anneal
