// Attention on CUDA and its gradients against float64, large shapes against the plain kernels in float32, then times. A JSON line a phase;
// exit code 1 on a failure. Needs a GPU, runs less than 40 s and never more than 60.
//
//   nvcc -std=c++17 -O3 -gencode arch=compute_90a,code=sm_90a -I../../.. ../*.cu attention_check.cu -o attention_check
//
// `attention_check small 5` only checks every fifth small shape (for compute-sanitizer), `attention_check time` only measures,
// `attention_check layouts` needs no GPU.

#include <unistd.h>

#include <atomic>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include "../swizzle.h"
#include "device_problem.cuh"
#include "graph_time.cuh"

namespace anneal::cuda {
namespace {

constexpr const char* kNames[] = {"out", "lse", "dq", "dk", "dv"};

struct Case {
  std::vector<int> lengths;
  int heads, kv_heads, size, window;
  DType type, cache_type;
  int start = -1;
  float soft_cap = 0;
};

std::vector<Case> smallCases() {
  constexpr DType f32 = DType::f32, bf16 = DType::bf16;
  std::vector<Case> cases;
  std::mt19937 random(3407);
  const std::vector<int> layouts[] = {{1}, {1, 1, 4, 1}, {0, 3, 0, 0, 2, 0}, {130, 37, 99}, {128, 64}, {257}, {31, 0, 200, 1, 70}, {300}};
  const int windows[] = {0, 0, 1, 7, 64, 101, 130}, groups[] = {1, 2, 3, 4, 9};
  for (int size : {64, 96, 128, 256, 16, 24, 8, 5, 300, 512, 192}) {
    for (const auto& layout : layouts) {
      for (DType type : {bf16, f32}) {
        const int kv_heads = 1 + random() % 2, heads = kv_heads * groups[random() % 5];
        cases.push_back({layout, heads, kv_heads, size, windows[random() % 7], type, type});
        if (size <= 128) cases.push_back({layout, 3 * kv_heads, kv_heads, size, windows[random() % 7], type, type});
      }
    }
    for (int i = 0; i < 4; i++)
      cases.push_back(
          {{i % 2 ? 1 + int(random() % 150) : 1}, 6, 3, size, windows[random() % 7], i < 3 ? bf16 : f32, i ? bf16 : f32, int(random() % 200)});
  }
  // Scores of normal values have a spread of 1: a cap of 2 bends most of them.
  for (int size : {128, 256, 64, 40})
    for (const auto& layout : layouts)
      for (DType type : {bf16, f32}) cases.push_back({layout, 4, 2, size, windows[random() % 7], type, type, -1, 2});
  return cases;
}

/**
 * Gradients of bf16 rows take up the rounding of `out`, which the gradient of the scores is a small difference to: worst in short rows. The plain
 * kernels have up to 3.8e-3 of dq in bf16, those of tensor cores 4.4e-3.
 */
double tolerance(const Problem& p, int output) {
  constexpr double half[] = {1e-4, 1e-6, 6e-3, 1e-3, 1e-4}, exact[] = {1e-9, 1e-10, 1e-9, 1e-9, 1e-9};
  return (p.shape.type == DType::bf16 ? half : exact)[output];
}

struct Tally {
  int cases = 0, failures = 0;
  double worst[2][5] = {};

  /** Compares the outputs of one problem with what is expected. */
  template <typename Expected>
  void judge(const Problem& p, Family family, const Expected& expected, const char* phase) {
    const auto first = p.run(family), second = p.run(family);
    const auto outputs = p.outputs();
    const bool half = p.shape.type == DType::bf16;
    std::string wrong;
    for (size_t i = 0; i < outputs.size(); i++) {
      if (first[i] != second[i]) wrong += std::string(" other bits of ") + kNames[i];
      if (!outputs[i]->guardIntact(first[i])) wrong += std::string(" wrote past the end of ") + kNames[i];
      Floats got = outputs[i]->read(first[i]);
      const int size = i == 1 ? 1 : p.shape.head_size;
      const double error = rowError(got, *expected[i], size);
      worst[half][i] = std::max(worst[half][i], error);
      if (!(error < tolerance(p, i))) wrong += std::string(" ") + kNames[i] + " " + std::to_string(error * 1e6) + "e-6";
      // A result that is 10 % off in its largest row must not pass.
      size_t largest = 0;
      double most = -1;
      for (size_t row = 0; row < got.size(); row += size) {
        double power = 0;
        for (size_t c = row; c < row + size; c++) power += double(got[c]) * got[c];
        if (power > most) most = power, largest = row;
      }
      for (size_t c = largest; c < largest + size && c < got.size(); c++) got[c] *= 1.1f;
      if (most > 1e-6 * size && rowError(got, *expected[i], size) < tolerance(p, i)) wrong += std::string(" perturbed ") + kNames[i] + " passes";
    }
    cases++;
    if (wrong.empty()) return;
    if (failures++ < 12)
      std::printf(
          "{\"phase\":\"%s\",\"tokens\":%d,\"documents\":%d,\"heads\":\"%d/"
          "%d\",\"size\":%d,\"window\":%d,\"type\":\"%s\",\"start\":%d,\"family\":%d,\"wrong\":\"%s\"}\n",
          phase, p.shape.tokens, p.shape.documents, p.shape.heads, p.shape.kv_heads, p.shape.head_size, p.shape.window, half ? "bf16" : "f32",
          p.start, int(family), wrong.c_str());
  }
  void print(const char* phase) const {
    std::printf("{\"phase\":\"%s\",\"cases\":%d,\"failures\":%d", phase, cases, failures);
    for (int half = 0; half < 2; half++) {
      std::printf(",\"%s\":{", half ? "bf16" : "f32");
      for (int i = 0; i < 5; i++) std::printf("%s\"%s\":%.1e", i ? "," : "", kNames[i], worst[half][i]);
      std::printf("}");
    }
    std::printf("}\n");
    std::fflush(stdout);
  }
};

/** Every row in one tile of its document, and no two rows of a chunk that ldmatrix reads together in one bank: on the host. */
bool checkLayouts() {
  int failures = 0;
  std::mt19937 random(7);
  for (int round = 0; round < 300; round++) {
    std::vector<int32_t> ends{0};
    for (int d = 1 + random() % 9; d > 0; d--) ends.push_back(ends.back() + (random() % 3 ? random() % 200 : random() % 2));
    const int documents = static_cast<int>(ends.size()) - 1, tokens = ends.back();
    for (int size : {32, 64, 128}) {
      std::vector<int> seen(tokens);
      for (int slot = 0; slot < slotCount(tokens, documents, size); slot++) {
        const Tile tile = tileOf(slot, ends.data(), documents, tokens, size);
        for (int row = tile.begin; row < tile.end; row++) seen[row]++;
        if (tile.begin < tile.end && (tile.end > tile.document_end || tile.begin < tile.key_begin || (tile.begin - tile.key_begin) % size))
          failures++;
      }
      for (int count : seen) failures += count != 1;
    }
  }
  const auto distinct = [&](auto place) {
    for (int chunk = 0; chunk < 8; chunk++) {
      unsigned banks = 0;
      for (int row = 0; row < 8; row++) banks |= 1u << place(row, chunk) % 8;
      failures += banks != 0xff;
    }
  };
  distinct(swizzled<8>), distinct(swizzled<12>), distinct(swizzled<16>), distinct(swizzled<24>), distinct(swizzled<32>);
  std::printf("{\"phase\":\"layouts\",\"failures\":%d}\n", failures);
  return failures == 0;
}

bool serves(Family family, const AttentionShape& shape) {
  return family == Family::plain || (family == Family::mma ? hasTensorCoreKernels(shape) : hasHopperKernels(shape));
}

bool checkSmall(const std::vector<Family>& families, size_t every) {
  Tally tally;
  std::mutex one_at_a_time;
  const std::vector<Case> cases = smallCases();
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next++ * every) < cases.size();) {
      const Case& c = cases[i];
      std::unique_lock lock(one_at_a_time);
      const Problem p(c.lengths, c.heads, c.kv_heads, c.size, c.window, c.type, c.cache_type, c.start, i + 1, c.soft_cap);
      const Floats q = p.q.read(p.q.raw()), k = p.k.read(p.k.raw()), v = p.v.read(p.v.raw()), d_out = p.d_out.read(p.d_out.raw());
      lock.unlock();
      const Reference r(p.shape, p.ends, p.start, q, k, v, d_out);
      lock.lock();
      const std::vector<double>* expected[] = {&r.out, &r.lse, &r.dq, &r.dk, &r.dv};
      for (Family family : families)
        if (serves(family, p.shape)) tally.judge(p, family, expected, "small");
    }
  };
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < std::max(2u, std::thread::hardware_concurrency()); t++) threads.emplace_back(work);
  for (std::thread& thread : threads) thread.join();
  tally.print("small");
  return tally.failures == 0;
}

bool checkLarge(const std::vector<Family>& families) {
  Tally tally;
  const Case cases[] = {
      {{2048, 2048}, 8, 2, 128, 0, DType::bf16, DType::bf16},
      {{1000, 3000}, 8, 2, 64, 700, DType::bf16, DType::bf16},
      {{1000, 3, 0, 2049, 513, 77, 1500}, 6, 2, 128, 0, DType::bf16, DType::bf16},
      {{3000, 1096}, 4, 2, 128, 1024, DType::bf16, DType::bf16},
      {{16384}, 2, 1, 128, 0, DType::bf16, DType::bf16},
      {{1000, 3000}, 9, 3, 64, 0, DType::bf16, DType::bf16},
      {{1777}, 4, 2, 96, 0, DType::bf16, DType::bf16},
      {{1777, 300}, 2, 2, 192, 0, DType::bf16, DType::bf16},
      {{1777}, 2, 1, 256, 0, DType::bf16, DType::bf16},
      {{1777, 300}, 8, 4, 256, 0, DType::bf16, DType::bf16},
      {{1777, 300}, 4, 2, 256, 1000, DType::bf16, DType::bf16, -1, 2},
      {{1777, 300}, 4, 2, 128, 0, DType::bf16, DType::bf16, -1, 2},
      {{1777, 300}, 4, 2, 512, 0, DType::bf16, DType::bf16},
  };
  for (const Case& c : cases) {
    const Problem exact(c.lengths, c.heads, c.kv_heads, c.size, c.window, DType::f32, DType::f32, -1, 1, c.soft_cap),
        p(c.lengths, c.heads, c.kv_heads, c.size, c.window, c.type, c.cache_type, -1, 1, c.soft_cap);
    const auto raw = exact.run(Family::plain);
    Floats values[5];
    const Floats* expected[5];
    for (int i = 0; i < 5; i++) values[i] = exact.outputs()[i]->read(raw[i]), expected[i] = &values[i];
    for (Family family : families)
      if (serves(family, p.shape)) tally.judge(p, family, expected, "large");
  }
  tally.print("large");
  return tally.failures == 0;
}

void measure(const std::vector<Family>& families) {
  struct Row {
    int documents, length;
  };
  struct Heads {
    int heads, kv_heads, size;
    float soft_cap = 0;
    int window = 0;
  };
  // The last four are Gemma 2's of 2B, Gemma 3's of 4B, and the two of Gemma 4 E2B.
  for (const Heads& h : {Heads{32, 8, 128}, Heads{16, 8, 128}, Heads{9, 3, 64}, Heads{16, 16, 192}, Heads{8, 4, 256, 50}, Heads{8, 4, 256, 0, 1024},
                         Heads{8, 1, 256, 0, 512}, Heads{8, 1, 512}}) {
    for (const Row& row : {Row{2, 2048}, Row{8, 512}, Row{32, 128}, Row{1, 8192}, Row{1, 32768}}) {
      const Problem p(std::vector<int>(row.documents, row.length), h.heads, h.kv_heads, h.size, h.window, DType::bf16, DType::bf16, -1, 1, h.soft_cap);
      const double work = 1e-9 * row.documents * row.length * (row.length + 1.0) / 2 * h.heads * h.size;
      for (Family best : families) {
        const Family family = serves(best, p.shape) ? best : Family::plain;
        if (family != Family::hopper && row.length > 2048) continue;
        const double forward = medianMilliseconds([&](cudaStream_t stream) { require(attentionForward(p.forward(), stream, family)); });
        const double backward = medianMilliseconds([&](cudaStream_t stream) { require(attentionBackward(p.backward(), stream, family)); });
        const double delta = medianMilliseconds([&](cudaStream_t stream) { require(attentionDelta(p.backward(), stream)); });
        std::printf(
            "{\"phase\":\"time\",\"family\":%d,\"documents\":%d,\"length\":%d,\"heads\":\"%d/"
            "%d\",\"size\":%d,\"cap\":%.0f,\"window\":%d,\"forward\":%.4f,\"backward\":%.4f,\"delta\":%.4f,\"forwardTflops\":%.0f,\"backwardTflops\":%.0f}\n",
            int(family), row.documents, row.length, h.heads, h.kv_heads, h.size, h.soft_cap, h.window, forward, backward, delta, 4 * work / forward, 10 * work / backward);
        std::fflush(stdout);
      }
    }
  }
}

}  // namespace
}  // namespace anneal::cuda

int main(int count, char** arguments) {
  using namespace anneal::cuda;
  alarm(60);
  const std::string only = count > 1 ? arguments[1] : "";
  bool good = checkLayouts();
  if (only == "layouts") return good ? 0 : 1;
  std::printf("{\"phase\":\"build\",\"hopper\":%s}\n", hopperCodeIsPresent() ? "true" : "false");
  if (only.empty() || only == "small")
    good = checkSmall({Family::hopper, Family::mma, Family::plain}, count > 2 ? std::atoi(arguments[2]) : 1) && good;
  if (only.empty()) good = checkLarge({Family::hopper, Family::mma}) && good;
  if (only.empty() || only == "time") measure({Family::hopper, Family::mma});
  return good ? 0 : 1;
}
