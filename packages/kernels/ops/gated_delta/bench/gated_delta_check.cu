// The gated delta rule on tensor cores against the float32 kernels, its repeatability, then times. A JSON line a phase;
// exit code 1 on a failure. Needs a GPU, runs less than 40 s and never more than 60. Compile here:
//
//   nvcc -std=c++17 -O3 -arch=sm_90a -I../../../native gated_delta_check.cu OBJECTS -o gated_delta_check
//
// where OBJECTS are those of attention/*.cu and gated_delta.cuda.cu without chunks.cuda.cu, which is part of this file.
// `gated_delta_check check` does not measure, `gated_delta_check time` only measures.

#include <unistd.h>

#include <random>
#include <string>

#include "../chunks.cuda.cu"
#include "cuda/attention/bench/graph_time.cuh"
#include "cuda/bench/against_float32.cuh"

namespace anneal::cuda {

const char* gated_delta(const Launch& launch);
const char* gated_delta_backward(const Launch& launch);

namespace {

constexpr const char* kNames[] = {"out", "dq", "dk", "dv", "da", "db", "decay", "shift"};
constexpr int kOutputs = 8;
struct Heads {
  int keyHeads, group;
};

/** One shape in one type of activations. */
struct DeltaProblem {
  int64_t tokens, heads, columns, values;
  double attributes[2];
  Buffer qkv, a, b, decay, shift, ends, dout, out, dqkv, da, db, decayTotal, shiftTotal, workspace;
  CudaContext context{};

  DeltaProblem(const std::vector<int>& lengths, Heads of, uint32_t seed, float decayShift) : attributes{double(of.keyHeads), kHead} {
    std::vector<int32_t> bounds{0};
    for (int length : lengths) bounds.push_back(bounds.back() + length);
    tokens = bounds.back(), heads = of.keyHeads * of.group, values = heads * kHead, columns = 2 * of.keyHeads * kHead + values;
    ends = Buffer(bounds.size(), DType::i32);
    require(cudaMemcpy(ends.data, bounds.data(), bounds.size() * 4, cudaMemcpyHostToDevice), "copy");
    qkv = Buffer(tokens * columns, DType::bf16), a = Buffer(tokens * heads, DType::bf16), b = Buffer(tokens * heads, DType::bf16);
    dout = Buffer(tokens * values, DType::bf16), decay = Buffer(heads, DType::f32), shift = Buffer(heads, DType::f32);
    qkv.fill(seed), a.fill(seed + 1), b.fill(seed + 2), dout.fill(seed + 3), decay.fill(seed + 4), shift.fill(seed + 5);
    Floats shifts = shift.read(shift.raw());
    for (float& value : shifts) value += decayShift;
    require(cudaMemcpy(shift.data, shifts.data(), shifts.size() * 4, cudaMemcpyHostToDevice), "copy");
    makeOutputs(DType::bf16);
  }

  /** The same values in float32, which other kernels serve. */
  DeltaProblem(const DeltaProblem& half, bool) : tokens(half.tokens), heads(half.heads), columns(half.columns), values(half.values) {
    attributes[0] = half.attributes[0], attributes[1] = half.attributes[1];
    qkv = floatsOf(half.qkv), a = floatsOf(half.a), b = floatsOf(half.b), dout = floatsOf(half.dout);
    decay = half.decay, shift = half.shift, ends = half.ends;
    makeOutputs(DType::f32);
  }

  void makeOutputs(DType type) {
    out = Buffer(tokens * values, type), dqkv = Buffer(tokens * columns, type), da = Buffer(tokens * heads, type), db = Buffer(tokens * heads, type);
    decayTotal = Buffer(heads, DType::f32), shiftTotal = Buffer(heads, DType::f32);
    workspace = Buffer(workspaceBytes(type), DType::u8);
    int device = 0;
    require(cudaGetDevice(&device), "device");
    require(cudaDeviceGetAttribute(&context.multiprocessors, cudaDevAttrMultiProcessorCount, device), "multiprocessors");
  }

  size_t workspaceBytes(DType type) const {
    const int64_t windows = ceilDivide(tokens, kWindow);
    if (type == DType::bf16)
      return 4 * alignUp(tokens * values * 2) + 2 * alignUp(windows * heads * kHead * kHead * 2) + alignUp(windows * kWindow * heads * 16) +
             alignUp(windows * heads * 16);
    return 2 * alignUp(tokens * values * 4) + 2 * alignUp(windows * values * kHead * 4) + alignUp(tokens * 2 * columns * 4) +
           alignUp(windows * heads * 16);
  }

  static Tensor matrix(const Buffer& of, int64_t rows) {
    return {of.data, of.type, 2, {rows, rows ? static_cast<int64_t>(of.count) / rows : 0}};
  }
  static Tensor row(const Buffer& of) { return {of.data, of.type, 1, {static_cast<int64_t>(of.count)}}; }

  void forward(cudaStream_t stream) {
    context.stream = stream;
    const Tensor inputs[] = {matrix(qkv, tokens), matrix(a, tokens), matrix(b, tokens), row(decay), row(shift), row(ends)};
    const Tensor output = matrix(out, tokens);
    require(gated_delta({inputs, &output, attributes, workspace.data, &context}));
  }

  void backward(cudaStream_t stream) {
    context.stream = stream;
    const Tensor inputs[] = {matrix(dout, tokens), matrix(qkv, tokens), matrix(a, tokens), matrix(b, tokens),
                             row(decay),           row(shift),          row(ends),         row(decayTotal), row(shiftTotal)};
    const Tensor outputs[] = {matrix(dqkv, tokens), matrix(da, tokens), matrix(db, tokens), row(decayTotal), row(shiftTotal)};
    require(gated_delta_backward({inputs, outputs, attributes, workspace.data, &context}));
  }

  /** All outputs, from memory that is no number before. */
  std::vector<Floats> run(std::string& wrong) {
    for (const Buffer* b : {&out, &dqkv, &da, &db, &workspace}) b->clear();
    require(cudaMemset(decayTotal.data, 0, decayTotal.bytes()), "zero");
    require(cudaMemset(shiftTotal.data, 0, shiftTotal.bytes()), "zero");
    forward(nullptr);
    backward(nullptr);
    require(cudaDeviceSynchronize(), "run");
    for (const Buffer* b : {&out, &dqkv, &da, &db, &workspace})
      if (!b->guardIntact(b->raw())) wrong += " wrote past an end";
    const Floats all = dqkv.read(dqkv.raw());
    const int64_t keys = (columns - values) / 2;
    std::vector<Floats> results(kOutputs);
    results[0] = out.read(out.raw());
    for (int64_t t = 0; t < tokens; t++) {
      const auto at = all.begin() + t * columns;
      results[1].insert(results[1].end(), at, at + keys);
      results[2].insert(results[2].end(), at + keys, at + 2 * keys);
      results[3].insert(results[3].end(), at + 2 * keys, at + columns);
    }
    const Buffer* rest[] = {&da, &db, &decayTotal, &shiftTotal};
    for (int i = 0; i < 4; i++) results[4 + i] = rest[i]->read(rest[i]->raw());
    return results;
  }

  void free() {
    for (Buffer* b : {&qkv, &a, &b, &dout, &out, &dqkv, &da, &db, &decayTotal, &shiftTotal, &workspace}) b->free();
  }
};

bool check() {
  struct Case {
    const char* name;
    std::vector<int> lengths;
    Heads heads;
    float shift;
  };
  const Case cases[] = {
      {"one", {1}, {1, 1}, -3},
      {"63", {63}, {1, 2}, -3},
      {"64", {64}, {2, 1}, -3},
      {"65", {65}, {1, 2}, -3},
      {"200", {200}, {2, 4}, -3},
      {"short documents", {1, 1, 4, 0, 70, 3, 60, 130, 1}, {2, 3}, -3},
      {"whole windows", {64, 128, 64, 192}, {2, 2}, -4},
      {"lasting", {700, 300}, {2, 2}, -7},
      {"ending", {300, 20}, {2, 2}, 3},
      {"qwen3.5", {2048, 2048}, {16, 2}, -3},
      {"many", {300, 1, 500, 63, 65, 1000, 1100, 1067}, {4, 2}, -4},
  };
  int failures = 0;
  for (const Case& c : cases) {
    DeltaProblem half(c.lengths, c.heads, 17, c.shift), whole(half, true);
    std::string wrong;
    const std::vector<Floats> expected = whole.run(wrong), first = half.run(wrong), second = half.run(wrong);
    std::printf("{\"phase\":\"check\",\"case\":\"%s\"", c.name);
    judge(kNames, expected, first, second, wrong);
    std::printf(",\"wrong\":\"%s\"}\n", wrong.c_str());
    std::fflush(stdout);
    failures += !wrong.empty();
    half.free(), whole.workspace.free(), whole.qkv.free(), whole.dqkv.free();
  }
  return failures == 0;
}

void measure() {
  struct Row {
    int documents, length;
  };
  for (const Row& row : {Row{2, 2048}, Row{8, 512}, Row{64, 64}, Row{1, 4096}}) {
    DeltaProblem p(std::vector<int>(row.documents, row.length), {16, 2}, 5, -3);
    const double forward = medianMilliseconds([&](cudaStream_t stream) { p.forward(stream); });
    const double backward = medianMilliseconds([&](cudaStream_t stream) { p.backward(stream); });
    std::printf("{\"phase\":\"time\",\"documents\":%d,\"length\":%d,\"forward\":%.4f,\"backward\":%.4f}\n", row.documents, row.length, forward,
                backward);
    const Tensor inputs[] = {p.matrix(p.qkv, p.tokens), p.matrix(p.a, p.tokens), p.matrix(p.b, p.tokens), p.row(p.decay), p.row(p.shift)};
    const GatedDelta<Bf16> of = deltaOf<Bf16>(inputs, p.attributes);
    const Packed packed = packedOf(p.row(p.ends), of.tokens);
    const Bf16* dout = reinterpret_cast<const Bf16*>(p.dout.data);
    char* rest = p.workspace.data;
    const ChunkParts parts = partsOf<true>(of, rest);
    const ChunkGradients to{reinterpret_cast<Bf16*>(p.dqkv.data), reinterpret_cast<Bf16*>(p.da.data), reinterpret_cast<Bf16*>(p.db.data),
                            reinterpret_cast<double*>(rest)};
    const dim3 grid = windowGrid(of, of.heads), keyGrid = windowGrid(of, of.keyHeads);
    const auto time = [&](const char* name, auto launch) {
      std::printf("{\"phase\":\"kernel\",\"name\":\"%s\",\"ms\":%.4f}\n", name, medianMilliseconds([&](cudaStream_t stream) { require(launch(stream)); }));
    };
    time("parts", [&](cudaStream_t s) {
      return launchKernel(partsKernel<false>, grid, kWindowThreads, kPartsBytes<false>, s, of, packed, dout, parts);
    });
    time("parts of both", [&](cudaStream_t s) {
      return launchKernel(partsKernel<true>, grid, kWindowThreads, kPartsBytes<true>, s, of, packed, dout, parts);
    });
    time("sweep", [&](cudaStream_t s) { return sweep<false>(s, of, packed, dout, parts); });
    time("sweep back", [&](cudaStream_t s) { return sweep<true>(s, of, packed, dout, parts); });
    time("output", [&](cudaStream_t s) {
      return launchKernel(outputKernel, grid, kWindowThreads, kOutputBytes, s, of, packed, parts, reinterpret_cast<Bf16*>(p.out.data));
    });
    time("gradients", [&](cudaStream_t s) {
      return launchKernel(gradientsKernel, keyGrid, kWindowThreads, sizeof(GradientTiles), s, of, packed, dout, parts, to);
    });
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
