// Times of the CUDA kernels at the shapes of Qwen3-0.6B and Llama-3.1-8B, 4096 tokens: a JSON line each. Needs a GPU and cuBLASLt, runs
// about a minute and never more than two. Built with every kernel: all *.cuda.cu of ops, and *.cu and *.cpp of native/cuda.
//
// `kernels_bench memory` only measures the kernels that are bound by memory, `kernels_bench products` only the matrix products, with
// every algorithm that cuBLASLt proposes.

#include <unistd.h>

#include <cstdio>
#include <string>
#include <vector>

#include "bench_device.h"

namespace anneal::cuda {
namespace {

struct Model {
  const char* name;
  int64_t hidden, queries, keys, inner, vocabulary, headSize;
};

constexpr Model kModels[] = {{"qwen3-0.6b", 1024, 2048, 1024, 3072, 151936, 128}, {"llama-3.1-8b", 4096, 4096, 1024, 14336, 128256, 128}};
constexpr int64_t T = 4096;
constexpr DType f32 = DType::f32, f64 = DType::f64, i32 = DType::i32;

void benchMemory(BenchDevice& device, const Model& m, DType A) {
  const int64_t D = m.hidden, N = m.inner, Q = m.queries, P = m.headSize / 2, G = Q / m.headSize;
  const Shape hidden{A, {T, D}}, inner{A, {T, N}}, queries{A, {T, Q}}, angles{f32, {T, P}}, tokens{i32, {T}, true};
  const int64_t hiddenBytes = T * D * static_cast<int64_t>(elementBytes(A));
  const auto time = [&](const char* op, const std::string& shape, std::vector<Shape> in, std::vector<Shape> out, std::vector<double> attributes = {},
                        int64_t bytes = 0) { device.time(op, std::string(m.name) + " " + shape, in, out, attributes, bytes); };
  time("add", "hidden", {hidden, hidden}, {hidden});
  time("rms_norm", "hidden", {hidden, {f32, {D}}}, {hidden, {f32, {T, 1}}}, {1e-6, 0});
  time("rms_norm", "heads", {queries, {f32, {m.headSize}}}, {queries, {f32, {T, G}}}, {1e-6, 0});
  time("rms_norm_backward_input", "hidden + c", {hidden, hidden, {f32, {D}}, {f32, {T, 1}}, hidden}, {hidden}, {0});
  time("rms_norm_backward_input", "heads", {queries, queries, {f32, {m.headSize}}, {f32, {T, G}}, {}}, {queries}, {0});
  time("rms_norm_backward_weight", "hidden", {hidden, hidden, {f32, {T, 1}}, {f32, {D}}}, {{f32, {D}}});
  time("rope", "queries", {queries, angles, angles}, {queries}, {1, static_cast<double>(m.headSize), 0});
  const Shape keys{A, {T, m.keys}}, qkv{A, {T, Q + 2 * m.keys}}, norm{f32, {m.headSize}}, rstd{f32, {T, (Q + m.keys) / m.headSize}};
  const double heads = static_cast<double>(G), kvHeads = static_cast<double>(m.keys / m.headSize);
  time("qkv_rope", "normed", {qkv, norm, norm, angles, angles}, {queries, keys, keys, rstd}, {heads, kvHeads, 1e-6, 0});
  time("qkv_rope", "", {qkv, {}, {}, angles, angles}, {queries, keys, keys, {}}, {heads, kvHeads, 0, 0});
  time("qkv_rope_backward", "normed", {queries, keys, keys, angles, angles, qkv, norm, norm, rstd}, {qkv}, {heads, kvHeads, 0});
  time("qkv_rope_backward", "", {queries, keys, keys, angles, angles, {}, {}, {}, {}}, {qkv}, {heads, kvHeads, 0});
  time("rope_table", "", {{i32, {T}, true}, {f32, {P}}, {}, {}}, {angles, angles}, {1, 0, 0, 0});
  time("swiglu", "inner", {inner, inner}, {inner}, {0});
  time("swiglu_backward", "inner", {inner, inner, inner}, {inner, inner}, {0});
  const Shape both{A, {T, 2 * N}};
  const Shape low{A, {T, 32}}, factor{f32, {N, 16}}, copy{DType::bf16, {N, 16}};
  time("swiglu_merged", "inner", {both, {}, {}, {}, {}, {}}, {inner}, {0, 0, 0});
  time("swiglu_merged", "inner, products added", {both, low, factor, factor, copy, copy}, {inner}, {1, 0, 0});
  time("swiglu_merged_backward", "inner", {inner, both, {}, {}, {}, {}, {}}, {both}, {0, 0, 0});
  time("swiglu_merged_backward", "inner, products added", {inner, both, low, factor, factor, copy, copy}, {both}, {1, 0, 0});
  time("dropout", "hidden", {hidden, {i32, {2}}}, {hidden}, {0.1, 3});
  time("add_bias", "queries", {queries, {f32, {Q}}}, {queries}, {1});
  time("add_bias_backward", "queries", {queries, {f32, {Q}}}, {{f32, {Q}}}, {1});
  time("embedding", "", {tokens, {A, {m.vocabulary, D}}}, {hidden}, {}, 2 * hiddenBytes);
  time("embedding_backward", "distinct tokens", {tokens, hidden, {f32, {m.vocabulary, D}}}, {{f32, {m.vocabulary, D}}}, {}, hiddenBytes + 8 * T * D);
}

void benchOptimizer(BenchDevice& device) {
  const int64_t count = 100'000'003;
  const Shape flat{f32, {count}}, one{f32, {1}};
  device.time("zero", "100M", {flat}, {flat}, {}, 4 * count);
  device.time("square_sum", "100M", {flat, {f64, {1}}}, {{f64, {1}}}, {});
  device.time("adamw", "100M", {flat, flat, flat, flat, one, one, {i32, {1}}}, {flat, flat, flat}, {0.9, 0.999, 1e-8, 0.01});
}

void benchProducts(BenchDevice& device, const Model& m) {
  const struct {
    const char* name;
    int64_t inputs, outputs;
  } weights[] = {{"qkv", m.hidden, m.queries + 2 * m.keys},
                 {"q", m.hidden, m.queries},
                 {"k", m.hidden, m.keys},
                 {"o", m.queries, m.hidden},
                 {"gate and up", m.hidden, 2 * m.inner},
                 {"gate", m.hidden, m.inner},
                 {"down", m.inner, m.hidden},
                 {"lora a", m.hidden, 16},
                 {"lora a of q, k, v", m.hidden, 48},
                 {"lora b", 16, m.inner}};
  for (const auto& w : weights) {
    const std::string name = std::string(m.name) + " " + w.name;
    const bool lora = w.inputs == 16 || w.outputs <= 48;
    device.timeProduct(name, {T, w.outputs, w.inputs}, false, true, false, DType::bf16);
    if (w.inputs == 16 || w.outputs == m.hidden) device.timeProduct(name + " + c", {T, w.outputs, w.inputs}, false, true, true, DType::bf16);
    device.timeProduct(name + " backward", {T, w.inputs, w.outputs}, false, false, false, DType::bf16);
    if (lora) device.timeProduct(name + " gradient", {w.outputs, w.inputs, T}, true, false, true, f32);
  }
}

/** The B side of LoRA r 16 on the linears of one input. */
void benchGroups(BenchDevice& device, const Model& m) {
  const struct {
    const char* name;
    std::vector<int64_t> columns;
  } groups[] = {{"q, k, v", {m.queries, m.keys, m.keys}}, {"gate, up", {m.inner, m.inner}}, {"o or down", {m.hidden}}};
  constexpr int64_t K = 16;
  for (const auto& group : groups) {
    const Shape x{DType::bf16, {T, K * static_cast<int64_t>(group.columns.size())}};
    std::vector<Shape> weights(3), copies(3), rows(3), gradients(3);
    int64_t rowBytes = 0;
    for (size_t i = 0; i < group.columns.size(); i++) {
      const int64_t N = group.columns[i];
      weights[i] = gradients[i] = {f32, {N, K}};
      copies[i] = {DType::bf16, {N, K}};
      rows[i] = {DType::bf16, {T, N}};
      rowBytes += 2 * T * N;
    }
    const auto joined = [](std::initializer_list<std::vector<Shape>> parts) {
      std::vector<Shape> all;
      for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
      return all;
    };
    const std::string name = std::string(m.name) + " " + group.name;
    device.time("linear_backward_weight", name + " of A", {x, {DType::bf16, {T, m.hidden}}, {f32, {x.extents[1], m.hidden}}}, {{f32, {x.extents[1], m.hidden}}},
                {1, 0}, 2 * T * (m.hidden + x.extents[1]));
    device.time("grouped_linear", name, joined({{x}, weights, copies, rows}), rows, {1, 0}, 2 * rowBytes);
    device.time("grouped_linear_backward", name, joined({rows, {x}, weights, copies, gradients}), joined({{x}, gradients}), {1, 0}, rowBytes);
  }
}

void benchCrossEntropy(BenchDevice& device, const Model& m, double chunk) {
  const Shape x{DType::bf16, {T, m.hidden}}, weight{DType::bf16, {m.vocabulary, m.hidden}}, loss{f64, {1}}, losses{f64, {T}};
  device.time("linear_cross_entropy_training", std::string(m.name) + ", chunks of " + std::to_string(static_cast<int>(chunk)),
              {x, weight, {i32, {T}}, {i32, {T}, true}, {f32, {1}}, loss, {}}, {loss, losses, x, {}}, {1, chunk, 0}, 0, 4 * T * m.hidden * m.vocabulary);
}

}  // namespace
}  // namespace anneal::cuda

int main(int count, char** arguments) {
  using namespace anneal::cuda;
  alarm(120);
  const std::string only = count > 1 ? arguments[1] : "";
  std::string problem;
  auto device = BenchDevice::open(problem);
  if (!device) {
    std::fprintf(stderr, "%s\n", problem.c_str());
    return 1;
  }
  for (const Model& model : kModels) {
    if (only != "products") {
      benchMemory(*device, model, anneal::DType::bf16);
      benchMemory(*device, model, anneal::DType::f32);
    }
    if (only == "memory") continue;
    benchProducts(*device, model);
    benchGroups(*device, model);
    for (double chunk : {256.0, 512.0, 1024.0}) benchCrossEntropy(*device, model, chunk);
  }
  if (only != "products") benchOptimizer(*device);
  return device->failed() ? 1 : 0;
}
