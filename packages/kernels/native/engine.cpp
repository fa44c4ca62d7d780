#include "engine.h"

#ifdef ANNEAL_CUDA
#include "cuda/cuda_backend.h"
#endif

#include <algorithm>
#include <stdexcept>

namespace anneal {

struct Engine::ReadyLaunch {
  Kernel kernel;
  std::vector<Tensor> inputs, outputs;
  const PlannedLaunch* planned;
  size_t profile_slot;
  /** It is for a tile of which this call has no tokens. */
  bool is_empty = false;
};

/**
 * Launches that follow one another and agree in whether their extents depend on the number of supervised rows. That number is another
 * one in nearly every batch: those that do not depend on it can be repeated all the same.
 */
struct Engine::Segment {
  size_t begin, end;
  bool counts_supervised;
};

struct Engine::ReadyProgram {
  const PlannedProgram* planned;
  std::vector<ReadyLaunch> launches;
  std::vector<Segment> segments;
};

namespace {

Tensor bindTensor(const PlannedTensor& planned, Backend& backend) {
  Tensor tensor{};
  if (planned.absent) return tensor;
  tensor.data = backend.at(planned.offset);
  tensor.type = planned.type;
  tensor.rank = static_cast<int32_t>(planned.shape.size());
  for (size_t i = 0; i < planned.shape.size(); i++) tensor.shape[i] = planned.shape[i];
  return tensor;
}

/** Returns whether one of them is a tile behind the last token. */
bool setExtents(const Plan& plan, const std::vector<PlannedTensor>& planned, std::vector<Tensor>& tensors, const int32_t* dims) {
  bool is_empty = false;
  for (size_t i = 0; i < planned.size(); i++)
    for (size_t d = 0; d < planned[i].shape.size(); d++) {
      const int32_t extent = planned[i].shape[d];
      tensors[i].shape[d] = plan.sizeOf(extent, dims);
      is_empty |= Plan::isTile(extent) && tensors[i].shape[d] == 0;
    }
  return is_empty;
}

bool countsSupervised(const PlannedLaunch& launch) {
  const auto counts = [](const PlannedTensor& tensor) {
    return std::find(tensor.shape.begin(), tensor.shape.end(), -1 - kSupervisedRows) != tensor.shape.end();
  };
  return std::any_of(launch.inputs.begin(), launch.inputs.end(), counts) || std::any_of(launch.outputs.begin(), launch.outputs.end(), counts);
}

std::unique_ptr<Backend> openBackend(const Plan& plan, const std::string& device) {
  const size_t colon = device.find(':');
  const std::string kind = device.substr(0, colon), name = colon == std::string::npos ? "" : device.substr(colon + 1);
  if (kind == "cpu") return openCpu(plan, name);
#ifdef ANNEAL_CUDA
  if (kind == "cuda") return openCuda(plan, std::stoi(name), name.find(":graphs") != std::string::npos);
#endif
  throw std::runtime_error("no backend for the device " + device);
}

}  // namespace

Engine::Engine(Plan plan, const std::string& device) : plan_(std::move(plan)), backend_(openBackend(plan_, device)) {
  for (const PlannedProgram& planned : plan_.programs) {
    auto program = std::make_unique<ReadyProgram>();
    program->planned = &planned;
    for (const PlannedLaunch& launch : planned.launches) {
      ReadyLaunch ready{backend_->kernel(launch.op), {}, {}, &launch, 0};
      for (const PlannedTensor& tensor : launch.inputs) ready.inputs.push_back(bindTensor(tensor, *backend_));
      for (const PlannedTensor& tensor : launch.outputs) ready.outputs.push_back(bindTensor(tensor, *backend_));
      const auto slot = std::find_if(profile_.begin(), profile_.end(), [&](const Profile& p) { return p.op == launch.op; });
      ready.profile_slot = slot - profile_.begin();
      if (slot == profile_.end()) profile_.push_back({launch.op, 0, 0});
      const size_t index = program->launches.size();
      const bool counts_supervised = countsSupervised(launch);
      if (index == 0 || program->segments.back().counts_supervised != counts_supervised)
        program->segments.push_back({index, index, counts_supervised});
      program->segments.back().end = index + 1;
      program->launches.push_back(std::move(ready));
    }
    programs_.push_back(std::move(program));
  }
}

Engine::~Engine() = default;

void Engine::bind(ReadyProgram& program, const Call& call) {
  for (int i = 0; i < kRuntimeDims; i++)
    if (call.dims[i] < 0 || call.dims[i] > plan_.bounds[i])
      throw std::runtime_error("a call's extent " + std::to_string(call.dims[i]) + " exceeds the plan's " + std::to_string(plan_.bounds[i]));
  for (const InputBytes& input : call.inputs) {
    if (input.input >= program.planned->inputs.size()) throw std::runtime_error("a call names an unknown input");
    const Place& place = program.planned->inputs[input.input];
    const std::vector<uint8_t>& bytes = input.bytes;
    if (bytes.size() > place.bytes) throw std::runtime_error("input " + place.name + " is larger than planned");
    backend_->upload(backend_->at(place.offset), bytes.size(), [&](char* target) { std::copy(bytes.begin(), bytes.end(), target); });
  }
  for (ReadyLaunch& launch : program.launches) {
    const bool no_inputs = setExtents(plan_, launch.planned->inputs, launch.inputs, call.dims);
    const bool no_outputs = setExtents(plan_, launch.planned->outputs, launch.outputs, call.dims);
    launch.is_empty = no_inputs || no_outputs;
  }
}

void Engine::launch(const ReadyProgram& program, const Call& call) {
  if (profiling_) {
    backend_->beginSeries(0, true);
    backend_->mark();
    for (size_t i = 0; i < program.launches.size(); i++) {
      launch(program, i);
      backend_->mark();
    }
    backend_->endSeries();
    return collectProfile(program);
  }
  for (const Segment& segment : program.segments) {
    const auto launches = [&] {
      backend_->beginSeries(segment.begin, false);
      try {
        for (size_t i = segment.begin; i < segment.end; i++) launch(program, i);
      } catch (const std::exception&) {
        backend_->abandonSeries();
        throw;
      }
      backend_->endSeries();
    };
    std::vector<int32_t> key{static_cast<int32_t>(call.program), static_cast<int32_t>(segment.begin)};
    key.insert(key.end(), call.dims, call.dims + kSupervisedRows);
    if (segment.counts_supervised) launches();
    else backend_->repeat(key, launches);
  }
}

void Engine::launch(const ReadyProgram& program, size_t number) {
  const ReadyLaunch& ready = program.launches[number];
  const PlannedLaunch& planned = *ready.planned;
  Context* context = backend_->begin(planned);
  if (!ready.is_empty) {
    const Launch launch{ready.inputs.data(), ready.outputs.data(), planned.attributes.data(), backend_->at(planned.workspace_offset), context};
    const char* bad = ready.kernel(launch);
    const std::string problem = bad ? bad : backend_->launchProblem();
    if (!problem.empty()) throw std::runtime_error(planned.op + ": " + problem);
  }
  backend_->ended(planned, number);
}

void Engine::collectProfile(const ReadyProgram& program) {
  const std::vector<uint64_t> intervals = backend_->takeIntervals();
  for (size_t i = 0; i < intervals.size(); i++) {
    Profile& slot = profile_[program.launches[i].profile_slot];
    slot.nanoseconds += intervals[i];
    slot.launches++;
  }
}

Outcome Engine::run(uint64_t turn, const std::vector<Call>& calls) {
  Outcome outcome{0, {}};
  std::unique_ptr<Pending> pending;
  {
    std::unique_lock<std::mutex> lock(turn_mutex_);
    turn_came_.wait(lock, [&] { return turn_ == turn; });
    const auto pass = [this] {
      turn_++;
      turn_came_.notify_all();
    };
    try {
      pending = submit(calls, outcome.done);
    } catch (...) {
      pass();
      throw;
    }
    pass();
  }
  outcome.results = pending->wait();
  return outcome;
}

std::unique_ptr<Pending> Engine::submit(const std::vector<Call>& calls, size_t& done) {
  uint64_t result_bytes = 0;
  for (const Call& call : calls)
    for (const Range& result : call.results) result_bytes += result.bytes;
  backend_->open(result_bytes);
  for (const Call& call : calls) {
    if (cancelled_) break;
    ReadyProgram& program = *programs_.at(call.program);
    bind(program, call);
    launch(program, call);
    for (const Range& result : call.results) backend_->take(result);
    done++;
  }
  return backend_->close();
}

void Engine::write(const Place& variable, uint64_t first, const uint8_t* values, SourceType type, uint64_t count) {
  const uint64_t bytes = elementBytes(variable.type);
  backend_->upload(backend_->at(variable.offset) + first * bytes, count * bytes,
                   [&](char* target) { convert(values, type, target, variable.type, count); });
}

void Engine::read(const Place& place, char* target) { backend_->download(backend_->at(place.offset), place.bytes, target); }

std::vector<Engine::Profile> Engine::takeProfile() {
  std::vector<Profile> taken = profile_;
  for (Profile& slot : profile_) slot.nanoseconds = slot.launches = 0;
  return taken;
}

}  // namespace anneal
