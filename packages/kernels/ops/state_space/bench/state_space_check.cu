// State spaces on tensor cores against the float32 kernels, their repeatability, then times. A JSON line a phase; exit
// code 1 on a failure. Needs a GPU, runs less than 40 s and never more than 60. Compile here:
//
//   nvcc -std=c++17 -O3 -arch=sm_90a -I../../../native state_space_check.cu OBJECTS -o state_space_check
//
// where OBJECTS are those of attention/*.cu. `state_space_check check` does not measure, `state_space_check time` only
// measures.

#include <unistd.h>

#include <random>
#include <string>

#include "../state_space.cuda.cu"
#include "cuda/attention/bench/graph_time.cuh"
#include "cuda/bench/against_float32.cuh"

namespace anneal::cuda {
namespace {

constexpr const char* kNames[] = {"y", "dx", "dB", "dC", "ddt", "decay", "shift", "skip"};
constexpr int kOutputs = 8;
/** One shape in one type of activations. */
struct SpaceProblem {
  int64_t tokens, heads, groups, columns, values;
  double attributes[2];
  Buffer xbc, dt, decay, shift, skip, ends, dy, y, dxbc, ddt, totals[3], workspace;
  CudaContext context{};

  SpaceProblem(const std::vector<int>& lengths, int heads_, int groups_, uint32_t seed, float dtShift)
      : heads(heads_), groups(groups_), attributes{double(groups_), kChunkState} {
    std::vector<int32_t> bounds{0};
    for (int length : lengths) bounds.push_back(bounds.back() + length);
    tokens = bounds.back(), values = heads * kChunkHead, columns = values + 2 * groups * kChunkState;
    ends = Buffer(bounds.size(), DType::i32);
    require(cudaMemcpy(ends.data, bounds.data(), bounds.size() * 4, cudaMemcpyHostToDevice), "copy");
    xbc = Buffer(tokens * columns, DType::bf16), dt = Buffer(tokens * heads, DType::bf16), dy = Buffer(tokens * values, DType::bf16);
    decay = Buffer(heads, DType::f32), shift = Buffer(heads, DType::f32), skip = Buffer(heads, DType::f32);
    xbc.fill(seed), dt.fill(seed + 1), dy.fill(seed + 2), decay.fill(seed + 3), shift.fill(seed + 4), skip.fill(seed + 5);
    Floats shifts = shift.read(shift.raw());
    for (float& value : shifts) value += dtShift;
    require(cudaMemcpy(shift.data, shifts.data(), shifts.size() * 4, cudaMemcpyHostToDevice), "copy");
    makeOutputs(DType::bf16);
  }

  /** The same values in float32, which other kernels serve. */
  explicit SpaceProblem(const SpaceProblem& half, bool)
      : tokens(half.tokens), heads(half.heads), groups(half.groups), columns(half.columns), values(half.values),
        attributes{half.attributes[0], half.attributes[1]} {
    xbc = floatsOf(half.xbc), dt = floatsOf(half.dt), dy = floatsOf(half.dy);
    decay = half.decay, shift = half.shift, skip = half.skip, ends = half.ends;
    makeOutputs(DType::f32);
  }

  void makeOutputs(DType type) {
    y = Buffer(tokens * values, type), dxbc = Buffer(tokens * columns, type), ddt = Buffer(tokens * heads, type);
    for (Buffer& total : totals) total = Buffer(heads, DType::f32);
    workspace = Buffer(workspaceBytes(), DType::u8);
    int device = 0;
    require(cudaGetDevice(&device), "device");
    require(cudaDeviceGetAttribute(&context.multiprocessors, cudaDevAttrMultiProcessorCount, device), "multiprocessors");
  }

  size_t workspaceBytes() const {
    const int64_t windows = ceilDivide(tokens, kWindow), parts = std::min<int64_t>(heads / groups, kMostParts);
    const int64_t states = alignUp(windows * values * kChunkState * 4) + alignUp(windows * heads * 4), scores = windows * groups * kWindow * kWindow * 4;
    return 2 * states + alignUp(scores) + alignUp(parts * tokens * groups * 2 * kChunkState * 4) + alignUp(parts * scores) +
           alignUp(windows * heads * 3 * 8);
  }

  static Tensor matrix(const Buffer& of, int64_t rows) { return {of.data, of.type, 2, {rows, static_cast<int64_t>(of.count) / rows}}; }
  static Tensor row(const Buffer& of) { return {of.data, of.type, 1, {static_cast<int64_t>(of.count)}}; }

  void forward(cudaStream_t stream) {
    context.stream = stream;
    const Tensor inputs[] = {matrix(xbc, tokens), matrix(dt, tokens), row(decay), row(shift), row(skip), row(ends)}, output = matrix(y, tokens);
    require(state_space({inputs, &output, attributes, workspace.data, &context}));
  }

  void backward(cudaStream_t stream) {
    context.stream = stream;
    const Tensor inputs[] = {matrix(dy, tokens), matrix(xbc, tokens), matrix(dt, tokens), row(decay), row(shift), row(skip), row(ends)};
    const Tensor outputs[] = {matrix(dxbc, tokens), matrix(ddt, tokens), row(totals[0]), row(totals[1]), row(totals[2])};
    require(state_space_backward({inputs, outputs, attributes, workspace.data, &context}));
  }

  /** All outputs, from memory that is no number before. */
  std::vector<Floats> run(std::string& wrong) {
    for (const Buffer* b : {&y, &dxbc, &ddt, &workspace}) b->clear();
    for (const Buffer& total : totals) require(cudaMemset(total.data, 0, total.bytes()), "zero");
    forward(nullptr);
    backward(nullptr);
    require(cudaDeviceSynchronize(), "run");
    for (const Buffer* b : {&y, &dxbc, &ddt, &workspace})
      if (!b->guardIntact(b->raw())) wrong += " wrote past an end";
    const Floats all = dxbc.read(dxbc.raw());
    const int64_t states = groups * kChunkState;
    std::vector<Floats> results(kOutputs);
    results[0] = y.read(y.raw());
    for (int64_t t = 0; t < tokens; t++) {
      const auto at = all.begin() + t * columns;
      results[1].insert(results[1].end(), at, at + values);
      results[2].insert(results[2].end(), at + values, at + values + states);
      results[3].insert(results[3].end(), at + values + states, at + columns);
    }
    results[4] = ddt.read(ddt.raw());
    for (int i = 0; i < 3; i++) results[5 + i] = totals[i].read(totals[i].raw());
    return results;
  }

  void free() {
    for (Buffer* b : {&xbc, &dt, &dy, &y, &dxbc, &ddt, &workspace}) b->free();
  }
};

bool check() {
  struct Case {
    const char* name;
    std::vector<int> lengths;
    int heads, groups;
    float shift;
  };
  const Case cases[] = {
      {"one", {1}, 1, 1, -3},
      {"63", {63}, 2, 1, -3},
      {"64", {64}, 2, 2, -3},
      {"65", {65}, 3, 1, -3},
      {"200", {200}, 19, 1, -3},
      {"short documents", {1, 1, 4, 0, 70, 3, 60, 130, 1}, 6, 2, -3},
      {"whole windows", {64, 128, 64, 192}, 4, 1, -4},
      {"lasting", {700, 300}, 4, 1, -7},
      {"ending", {300, 20}, 4, 1, 3},
      {"granite 4 micro", {2048, 2048}, 48, 1, -3},
      {"many", {300, 1, 500, 63, 65, 1000, 1100, 1067}, 16, 2, -4},
  };
  int failures = 0;
  for (const Case& c : cases) {
    SpaceProblem half(c.lengths, c.heads, c.groups, 17, c.shift), whole(half, true);
    std::string wrong;
    const std::vector<Floats> expected = whole.run(wrong), first = half.run(wrong), second = half.run(wrong);
    std::printf("{\"phase\":\"check\",\"case\":\"%s\"", c.name);
    judge(kNames, expected, first, second, wrong);
    std::printf(",\"wrong\":\"%s\"}\n", wrong.c_str());
    std::fflush(stdout);
    failures += !wrong.empty();
    half.free(), whole.free();
  }
  return failures == 0;
}

void measure() {
  struct Row {
    int documents, length;
  };
  for (const Row& row : {Row{2, 2048}, Row{64, 64}}) {
    SpaceProblem p(std::vector<int>(row.documents, row.length), 48, 1, 5, -3);
    const double forward = medianMilliseconds([&](cudaStream_t stream) { p.forward(stream); });
    const double backward = medianMilliseconds([&](cudaStream_t stream) { p.backward(stream); });
    std::printf("{\"phase\":\"time\",\"documents\":%d,\"length\":%d,\"forward\":%.4f,\"backward\":%.4f}\n", row.documents, row.length, forward,
                backward);
    const Tensor inputs[] = {p.matrix(p.xbc, p.tokens), p.matrix(p.dt, p.tokens), p.row(p.decay), p.row(p.shift), p.row(p.skip)};
    const StateSpace<Bf16> of = stateSpaceOf<Bf16>(inputs, p.attributes);
    const Packed packed = packedOf(p.row(p.ends), of.tokens);
    const Bf16* dy = reinterpret_cast<const Bf16*>(p.dy.data);
    char* rest = p.workspace.data;
    const Scratch<Bf16> scratch(of, rest);
    const auto time = [&](const char* name, auto launch) {
      std::printf("{\"phase\":\"part\",\"name\":\"%s\",\"ms\":%.4f}\n", name, medianMilliseconds(launch));
    };
    time("states", [&](cudaStream_t s) { findStates<Bf16>(s, of, packed, nullptr, scratch.states); });
    time("scores", [&](cudaStream_t s) { findScores(s, of, scratch.scores); });
    const int64_t windows = ceilDivide(of.tokens, kWindow);
    const WindowStates dstates{take<float>(rest, windows * of.heads * of.state()), take<float>(rest, windows * of.heads), of.state()};
    float* dbc = take<float>(rest, kMostParts * of.tokens * of.groups * 2 * of.stateSize);
    float* dscores = take<float>(rest, kMostParts * windows * of.groups * kWindow * kWindow);
    const BackwardResults<Bf16> to{reinterpret_cast<Bf16*>(p.dxbc.data), reinterpret_cast<Bf16*>(p.ddt.data), dbc, dscores,
                                   reinterpret_cast<double*>(rest)};
    const dim3 both(static_cast<unsigned>(windows), 2, 1), grid(static_cast<unsigned>(windows), kMostParts, 1);
    time("gradients", [&](cudaStream_t s) {
      require(launchKernel(chunkGradientsKernel, grid, kWindowThreads, sizeof(GradientTiles), s, of, packed,
                           BackwardInputs<Bf16>{dy, scratch.scores, scratch.states, dstates}, to, int{kMostParts}));
    });
    time("join", [&](cudaStream_t s) { joinGroupsKernel<Bf16><<<both, kWindowThreads, 0, s>>>(of, to, kMostParts); });
    std::fflush(stdout);
    p.free();
  }
}

}  // namespace
}  // namespace anneal::cuda

int main(int count, char** arguments) {
  using namespace anneal::cuda;
  alarm(60);
  const std::string only = count > 1 ? arguments[1] : "";
  const bool good = only == "time" || check();
  if (only != "check") measure();
  return good ? 0 : 1;
}
