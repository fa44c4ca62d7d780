#include "plan.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace anneal {
namespace {

constexpr int32_t kPlanVersion = 6;
constexpr int32_t kMaxThreads = 4096;

class Reader {
 public:
  Reader(const uint8_t* bytes, size_t size) : at_(bytes), end_(bytes + size) {}

  int32_t i32() { return value<int32_t>(); }
  uint64_t size() {
    const double number = value<double>();
    if (!(number >= 0 && number < 9007199254740992.0)) throw std::runtime_error("plan: a size is not an integer");
    return static_cast<uint64_t>(number);
  }
  double f64() { return value<double>(); }
  int32_t count() {
    const int32_t n = i32();
    if (n < 0 || n > end_ - at_) throw std::runtime_error("plan: a count is out of range");
    return n;
  }
  std::string string() {
    const int32_t length = count();
    std::string text(reinterpret_cast<const char*>(at_), length);
    at_ += length;
    return text;
  }
  DType type() {
    const int32_t n = i32();
    if (n < 0 || n > 4) throw std::runtime_error("plan: unknown element type");
    return static_cast<DType>(n);
  }

 private:
  template <class T>
  T value() {
    if (end_ - at_ < static_cast<ptrdiff_t>(sizeof(T))) throw std::runtime_error("plan: ends too early");
    T result;
    std::memcpy(&result, at_, sizeof(T));
    at_ += sizeof(T);
    return result;
  }

  const uint8_t* at_;
  const uint8_t* end_;
};

Place readPlace(Reader& in, const Plan& plan) {
  Place place;
  place.name = in.string();
  place.offset = in.size();
  place.bytes = in.size();
  place.type = in.type();
  if (!plan.contains(place.offset, place.bytes)) throw std::runtime_error("plan: " + place.name + " lies outside the arena");
  return place;
}

std::vector<Place> readPlaces(Reader& in, const Plan& plan) {
  std::vector<Place> places(in.count());
  for (Place& place : places) place = readPlace(in, plan);
  return places;
}

PlannedTensor readTensor(Reader& in, const Plan& plan) {
  PlannedTensor tensor{};
  const int32_t type = in.i32();
  tensor.absent = type < 0;
  if (tensor.absent) return tensor;
  if (type > 4) throw std::runtime_error("plan: unknown element type");
  tensor.type = static_cast<DType>(type);
  tensor.offset = in.size();
  const int32_t rank = in.count();
  if (rank > 4) throw std::runtime_error("plan: a tensor has more than four extents");
  uint64_t bytes = elementBytes(tensor.type);
  for (int32_t i = 0; i < rank; i++) {
    const int32_t extent = in.i32();
    if (Plan::isTile(extent) && plan.tile_rows == 0) throw std::runtime_error("plan: unknown runtime extent");
    tensor.shape.push_back(extent);
    const uint64_t bound = plan.sizeOf(extent, plan.bounds);
    if (bound > 0 && bytes > std::max(plan.total_bytes, plan.host_bytes) / bound) throw std::runtime_error("plan: a tensor is larger than the arena");
    bytes *= bound;
  }
  if (!plan.contains(tensor.offset, bytes)) throw std::runtime_error("plan: a tensor lies outside the arena");
  return tensor;
}

PlannedLaunch readLaunch(Reader& in, const Plan& plan) {
  PlannedLaunch launch;
  launch.op = in.string();
  launch.attributes.resize(in.count());
  for (double& attribute : launch.attributes) attribute = in.f64();
  const int32_t inputs = in.count();
  for (int32_t i = 0; i < inputs; i++) launch.inputs.push_back(readTensor(in, plan));
  const int32_t outputs = in.count();
  for (int32_t i = 0; i < outputs; i++) launch.outputs.push_back(readTensor(in, plan));
  launch.workspace_offset = in.size();
  launch.workspace_bytes = in.size();
  if (launch.workspace_offset >= kHostBase || !plan.contains(launch.workspace_offset, launch.workspace_bytes))
    throw std::runtime_error("plan: a workspace lies outside the arena");
  launch.beside = in.i32() != 0;
  launch.after = in.i32();
  launch.is_awaited = false;
  return launch;
}

/** A launch comes after an earlier one, and of the other stream. */
void readOrder(PlannedLaunch& launch, std::vector<PlannedLaunch>& before) {
  if (launch.after < 0) return;
  if (static_cast<size_t>(launch.after) >= before.size() || before[launch.after].beside == launch.beside)
    throw std::runtime_error("plan: a launch waits for one that is none of the other stream before it");
  before[launch.after].is_awaited = true;
}

}  // namespace

/** FNV-1a. */
static uint32_t checksumOf(const uint8_t* bytes, size_t size) {
  uint32_t hash = 0x811c9dc5u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ bytes[i]) * 0x01000193u;
  return hash;
}

Plan readPlan(const uint8_t* bytes, size_t size) {
  uint32_t checksum = 0;
  if (size < sizeof checksum) throw std::runtime_error("plan: ends too early");
  size -= sizeof checksum;
  std::memcpy(&checksum, bytes + size, sizeof checksum);
  // Kernels believe the shapes they are given: what the checks below cannot see must not get through either.
  if (checksum != checksumOf(bytes, size)) throw std::runtime_error("plan: damaged");
  Reader in(bytes, size);
  if (in.i32() != kPlanVersion) throw std::runtime_error("plan: made by another version of Anneal");
  Plan plan;
  plan.total_bytes = in.size();
  plan.host_bytes = in.size();
  plan.scratch_offset = in.size();
  plan.scratch_bytes_per_thread = in.size();
  plan.threads = in.i32();
  for (int32_t& bound : plan.bounds) {
    bound = in.i32();
    if (bound < 0) throw std::runtime_error("plan: a bound is negative");
  }
  plan.tile_rows = in.i32();
  if (plan.tile_rows < 0) throw std::runtime_error("plan: a tile has a negative number of rows");
  if (plan.total_bytes > kHostBase) throw std::runtime_error("plan: the arena is too large");
  if (plan.threads < 1 || plan.threads > kMaxThreads) throw std::runtime_error("plan: the number of threads is out of range");
  if (plan.scratch_offset > plan.total_bytes || plan.scratch_bytes_per_thread > (plan.total_bytes - plan.scratch_offset) / plan.threads)
    throw std::runtime_error("plan: the scratch lies outside the arena");
  plan.variables = readPlaces(in, plan);
  const int32_t programs = in.count();
  for (int32_t p = 0; p < programs; p++) {
    PlannedProgram program;
    program.name = in.string();
    program.inputs = readPlaces(in, plan);
    program.results = readPlaces(in, plan);
    const int32_t launches = in.count();
    for (int32_t i = 0; i < launches; i++) {
      PlannedLaunch launch = readLaunch(in, plan);
      readOrder(launch, program.launches);
      program.launches.push_back(std::move(launch));
    }
    plan.programs.push_back(std::move(program));
  }
  return plan;
}

}  // namespace anneal
