// Products of experts on CUDA against sums in float64, their repeatability, then times. A JSON line a phase or a time; exit code 1 on a failure.
// Needs a GPU of sm_90, runs less than 40 s and never more than 90. Compile here, after the addon with CUDA:
//
//   nvcc -std=c++17 -O3 -gencode arch=compute_90a,code=sm_90a -I../../../native expert_linear_check.cu OBJECTS -o expert_linear_check
//
// where OBJECTS are those of attention/*.cu, expert_linear_hopper.cuda.cu and dequantize_nf4.cuda.cu. `expert_linear_check check` does not measure,
// `expert_linear_check time` only measures.

#include <unistd.h>

#include "cuda/attention/bench/graph_time.cuh"
#include "device_experts.cuh"

namespace anneal::cuda {
namespace {

constexpr float kTolerance = 4e-3f;
constexpr Way kAll[] = {Way::bf16, Way::nf4};

struct Case {
  std::vector<int> counts;
  int K, N;
};

struct Tally {
  int cases = 0, failures = 0;
  float worst[2] = {};
};

float errorOf(const ExpertProblem& problem, int width) {
  problem.zeroCounters();
  errorKernel<<<problem.rows, 256>>>(reinterpret_cast<const bf16*>(problem.y.data), reinterpret_cast<const double*>(problem.expected.data), width,
                                     problem.counterAt(0));
  const unsigned bits = problem.counter(0);
  float error;
  std::memcpy(&error, &bits, 4);
  return error;
}

unsigned unlikeBits(const ExpertProblem& problem, size_t count) {
  problem.zeroCounters();
  over(count, unlikeKernel, reinterpret_cast<const uint16_t*>(problem.y.data), reinterpret_cast<const uint16_t*>(problem.again.data),
       static_cast<int64_t>(count), problem.counterAt(1));
  return problem.counter(1);
}

/** What differs from what is expected, or nothing. `again` holds the result of a kernel before with the same sums where there is one. */
std::string wrongOf(const ExpertProblem& problem, Way way, bool plain, bool plus, float alpha, Tally& tally) {
  const int width = plain ? problem.K : problem.N;
  const size_t count = size_t(problem.rows) * width;
  const ExpertProduct p = problem.product(plain, plus, problem.y, alpha);
  std::string wrong;
  problem.y.clear();
  problem.run(way, p, plain, nullptr);
  const float error = errorOf(problem, width);
  tally.worst[int(way)] = std::max(tally.worst[int(way)], error);
  if (!(error < kTolerance)) wrong += " error " + std::to_string(error);
  // In NF4 the decoded weight is the same to the bit, and so is the order of sums.
  if (way == Way::nf4 && unlikeBits(problem, count)) wrong += " other bits than of the decoded weight";
  problem.again.clear();
  problem.run(way, problem.product(plain, plus, problem.again, alpha), plain, nullptr);
  if (unlikeBits(problem, count)) wrong += " other bits the second time";
  if (plus) {
    // In place.
    require(cudaMemcpy(problem.again.data, problem.c.data, count * 2, cudaMemcpyDeviceToDevice), "copy");
    ExpertProduct same = problem.product(plain, plus, problem.again, alpha);
    same.c = same.y;
    problem.run(way, same, plain, nullptr);
    if (unlikeBits(problem, count)) wrong += " other bits in place";
  }
  std::vector<uint8_t> guard(Buffer::kGuard);
  require(cudaMemcpy(guard.data(), problem.y.data + count * 2, problem.y.bytes() - count * 2 ? 0 : guard.size(), cudaMemcpyDeviceToHost), "guard");
  for (uint8_t byte : guard)
    if (problem.y.bytes() == count * 2 && byte != 0xff) wrong = " wrote past the end";
  // One row's first value off must be seen.
  require(cudaMemset(problem.y.data, 0x42, 2), "disturb");
  if (errorOf(problem, width) < kTolerance) wrong += " disturbed passes";
  return wrong;
}

bool check(const char* phase, const std::vector<Case>& cases) {
  Tally tally;
  for (size_t i = 0; i < cases.size(); i++) {
    const ExpertProblem problem(cases[i].counts, cases[i].K, cases[i].N, 10 * i + 1);
    if (problem.rows == 0) continue;
    for (bool plain : {false, true}) {
      for (bool plus : {false, true}) {
        const float alpha = plus ? 0.5f : 1;
        const ExpertProduct p = problem.product(plain, plus, problem.y, alpha);
        over(int64_t{problem.rows} * (plain ? problem.K : problem.N), expectedKernel, p, plain, reinterpret_cast<double*>(problem.expected.data));
        for (Way way : kAll) {
          if (way == Way::nf4 && !problem.has_codes) continue;
          const std::string wrong = wrongOf(problem, way, plain, plus, alpha, tally);
          tally.cases++;
          if (!wrong.empty() && tally.failures++ < 20)
            std::printf("{\"phase\":\"%s\",\"case\":%zu,\"rows\":%d,\"K\":%d,\"N\":%d,\"plain\":%d,\"plus\":%d,\"way\":\"%s\",\"wrong\":\"%s\"}\n", phase, i,
                        problem.rows, problem.K, problem.N, plain, plus, kWays[int(way)], wrong.c_str());
        }
      }
    }
  }
  std::printf("{\"phase\":\"%s\",\"cases\":%d,\"failures\":%d,\"bf16\":%.1e,\"nf4\":%.1e}\n", phase, tally.cases, tally.failures,
              tally.worst[0], tally.worst[1]);
  std::fflush(stdout);
  return tally.failures == 0;
}

/** Offsets that do not ascend are reported, and nothing is written outside. */
bool checkFaults() {
  int failures = 0;
  const ExpertProblem problem({100, 100, 100}, 64, 64);
  for (const std::vector<int32_t>& bounds : {std::vector<int32_t>{0, 200, 100, 300}, {0, 100, 200, 301}, {-1, 100, 200, 300}}) {
    ExpertProblem::copy(problem.offsets, bounds);
    for (Way way : kAll) {
      problem.zeroCounters();
      problem.run(way, problem.product(false, false, problem.y), false, nullptr);
      require(cudaDeviceSynchronize(), "fault");
      failures += problem.counter(2) != static_cast<unsigned>(Fault::row);
    }
  }
  std::printf("{\"phase\":\"faults\",\"failures\":%d}\n", failures);
  return failures == 0;
}

void measure() {
  struct Layer {
    int tokens, experts, K, N;
  };
  for (const float spread : {0.0f, 0.5f}) {
    for (const Layer& l : {Layer{4096, 128, 2048, 1536}, Layer{4096, 128, 768, 2048}, Layer{2048, 64, 2048, 1536}, Layer{2048, 64, 768, 2048},
                           Layer{4096, 64, 2048, 1536}, Layer{4096, 64, 768, 2048}, Layer{8192, 64, 2048, 1536}, Layer{8192, 64, 768, 2048}}) {
      ExpertProblem problem(drawnCounts(l.tokens * 8, l.experts, spread, 7), l.K, l.N);
      const double work = 2e-9 * problem.rows * l.K * l.N;
      const double decoding = medianMilliseconds([&](cudaStream_t stream) { problem.decode(stream); });
      for (bool plain : {false, true}) {
        std::printf("{\"phase\":\"time\",\"spread\":%.1f,\"rows\":%d,\"experts\":%d,\"K\":%d,\"N\":%d,\"plain\":%d,\"decoding\":%.4f", spread, problem.rows,
                    l.experts, l.K, l.N, plain, decoding);
        for (Way way : kAll) {
          const ExpertProduct p = problem.product(plain, false, problem.y);
          const double time = medianMilliseconds([&](cudaStream_t stream) { problem.run(way, p, plain, stream); });
          std::printf(",\"%s\":%.4f,\"%sTflops\":%.0f", kWays[int(way)], time, kWays[int(way)], work / time);
        }
        std::printf("}\n");
        std::fflush(stdout);
      }
    }
  }
}

}  // namespace
}  // namespace anneal::cuda

int main(int count, char** arguments) {
  using namespace anneal::cuda;
  alarm(90);
  const std::string only = count > 1 ? arguments[1] : "";
  if (!isHopper()) {
    std::printf("{\"phase\":\"build\",\"hopper\":false}\n");
    return 1;
  }
  bool good = true;
  if (only != "time") {
    const std::vector<int> ragged{65, 0, 128, 129, 191, 192, 193, 255, 256, 257, 0, 600, 1, 31, 33};
    good = check("small", {{{1}, 64, 8},
                           {{1}, 8, 8},
                           {{0, 5, 0, 64}, 128, 136},
                           {{3, 300}, 72, 200},
                           {ragged, 192, 136},
                           {ragged, 256, 96},
                           {ragged, 40, 264},
                           {drawnCounts(3000, 70, 1, 3), 320, 128},
                           {std::vector<int>(400, 1), 64, 64}});
    good = check("large", {{drawnCounts(8192, 32, 0.5f, 5), 2048, 1536}, {drawnCounts(8192, 32, 0.5f, 6), 768, 2048}}) && good;
    good = checkFaults() && good;
  }
  if (only != "check") measure();
  return good ? 0 : 1;
}
