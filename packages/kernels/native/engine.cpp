#include "engine.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <stdexcept>

namespace anneal {

struct Engine::ReadyLaunch {
  Kernel kernel;
  std::vector<Tensor> inputs, outputs;
  const PlannedLaunch* planned;
  size_t profile_slot;
};

struct Engine::ReadyProgram {
  const PlannedProgram* planned;
  std::vector<ReadyLaunch> launches;
};

namespace {

Kernel findKernel(const KernelSet& set, const std::string& name) {
  for (const KernelEntry* entry = set.kernels; entry->name; entry++)
    if (name == entry->name) return entry->kernel;
  throw std::runtime_error("no CPU kernel for op " + name);
}

Tensor bindTensor(const PlannedTensor& planned, char* arena) {
  Tensor tensor{};
  if (planned.absent) return tensor;
  tensor.data = arena + planned.offset;
  tensor.type = planned.type;
  tensor.rank = static_cast<int32_t>(planned.shape.size());
  for (size_t i = 0; i < planned.shape.size(); i++) tensor.shape[i] = planned.shape[i];
  return tensor;
}

void setExtents(const std::vector<PlannedTensor>& planned, std::vector<Tensor>& tensors, const int32_t* dims) {
  for (size_t i = 0; i < planned.size(); i++)
    for (size_t d = 0; d < planned[i].shape.size(); d++)
      if (planned[i].shape[d] < 0) tensors[i].shape[d] = dims[-1 - planned[i].shape[d]];
}

}  // namespace

Engine::Engine(Plan plan, const KernelSet& kernels) : plan_(std::move(plan)) {
  const size_t bytes = std::max<uint64_t>(plan_.total_bytes, 64);
  void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::runtime_error("out of memory: " + std::to_string(bytes) + " bytes could not be reserved");
  arena_ = {static_cast<char*>(memory), Unmap{bytes}};
#ifdef MADV_HUGEPAGE
  madvise(memory, bytes, MADV_HUGEPAGE);  // matrix products walk many rows at once: 4 KiB pages cost 5-10 % in TLB misses
#endif
#ifdef MADV_POPULATE_WRITE
  // Touch every page now: memory that is not there shows here, not in the middle of a run. Kernels before 5.14 do it on first use.
  if (madvise(memory, bytes, MADV_POPULATE_WRITE) != 0 && errno == ENOMEM)
    throw std::runtime_error("out of memory: the plan's " + std::to_string(bytes) + " bytes are not free");
#endif
  pool_ = std::make_unique<ThreadPool>(plan_.threads);
  context_ = {pool_.get(), at(plan_.scratch_offset), plan_.scratch_bytes_per_thread};
  for (const PlannedProgram& planned : plan_.programs) {
    auto program = std::make_unique<ReadyProgram>();
    program->planned = &planned;
    for (const PlannedLaunch& launch : planned.launches) {
      ReadyLaunch ready{findKernel(kernels, launch.op), {}, {}, &launch, 0};
      for (const PlannedTensor& tensor : launch.inputs) ready.inputs.push_back(bindTensor(tensor, arena_.get()));
      for (const PlannedTensor& tensor : launch.outputs) ready.outputs.push_back(bindTensor(tensor, arena_.get()));
      const auto slot = std::find_if(profile_.begin(), profile_.end(), [&](const Profile& p) { return p.op == launch.op; });
      ready.profile_slot = slot - profile_.begin();
      if (slot == profile_.end()) profile_.push_back({launch.op, 0, 0});
      program->launches.push_back(std::move(ready));
    }
    programs_.push_back(std::move(program));
  }
}

Engine::~Engine() = default;

void Engine::Unmap::operator()(char* memory) const { munmap(memory, bytes); }

void Engine::bind(ReadyProgram& program, const Call& call) {
  for (int i = 0; i < kRuntimeDims; i++)
    if (call.dims[i] < 0 || call.dims[i] > plan_.bounds[i])
      throw std::runtime_error("a call's extent " + std::to_string(call.dims[i]) + " exceeds the plan's " + std::to_string(plan_.bounds[i]));
  for (const InputBytes& input : call.inputs) {
    if (input.input >= program.planned->inputs.size()) throw std::runtime_error("a call names an unknown input");
    const Place& place = program.planned->inputs[input.input];
    if (input.bytes.size() > place.bytes) throw std::runtime_error("input " + place.name + " is larger than planned");
    std::copy(input.bytes.begin(), input.bytes.end(), at(place.offset));
  }
  for (ReadyLaunch& launch : program.launches) {
    setExtents(launch.planned->inputs, launch.inputs, call.dims);
    setExtents(launch.planned->outputs, launch.outputs, call.dims);
  }
}

size_t Engine::run(const std::vector<Call>& calls) {
  size_t done = 0;
  for (const Call& call : calls) {
    if (cancelled_) break;
    ReadyProgram& program = *programs_.at(call.program);
    bind(program, call);
    for (ReadyLaunch& ready : program.launches) {
      const Launch launch{ready.inputs.data(), ready.outputs.data(), ready.planned->attributes.data(),
                          at(ready.planned->workspace_offset), &context_};
      const auto start = profiling_ ? std::chrono::steady_clock::now() : std::chrono::steady_clock::time_point{};
      if (const char* problem = ready.kernel(launch)) throw std::runtime_error(ready.planned->op + ": " + problem);
      if (profiling_) {
        Profile& slot = profile_[ready.profile_slot];
        slot.nanoseconds += std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start).count();
        slot.launches++;
      }
    }
    done++;
  }
  return done;
}

std::vector<Engine::Profile> Engine::takeProfile() {
  std::vector<Profile> taken = profile_;
  for (Profile& slot : profile_) slot.nanoseconds = slot.launches = 0;
  return taken;
}

}  // namespace anneal
