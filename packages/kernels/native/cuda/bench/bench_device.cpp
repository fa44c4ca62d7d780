#include "bench_device.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "cuda/kernels.h"

namespace anneal::cuda {
namespace {

constexpr int64_t kMemory = int64_t{12} << 30, kWorkspace = int64_t{3} << 30;
constexpr int64_t kCache = 150 << 20;  // the launches of one round touch more than this: three times an H100's L2
constexpr int kRounds = 5;

Kernel find(const std::string& op) {
  for (const KernelEntry* entry = kernels(); entry->name; entry++)
    if (op == entry->name) return entry->kernel;
  return nullptr;
}

}  // namespace

struct BenchDevice::Set {
  std::vector<Tensor> inputs, outputs;
};

std::unique_ptr<BenchDevice> BenchDevice::open(std::string& problem) {
  std::unique_ptr<BenchDevice> device(new BenchDevice());
  cudaDeviceProp properties;
  if (const cudaError_t error = cudaGetDeviceProperties(&properties, 0)) {
    problem = cudaGetErrorString(error);
    return nullptr;
  }
  device->blas_ = Blas::open(size_t{32} << 20, problem);
  if (!device->blas_) return nullptr;
  CudaContext& context = device->context_;
  cudaStreamCreate(&context.stream);
  context.multiprocessors = properties.multiProcessorCount;
  context.blas = device->blas_.get();
  cudaMalloc(&context.fault, sizeof(int32_t));
  cudaMemset(context.fault, 0, sizeof(int32_t));
  cudaMalloc(&device->memory_, kMemory);
  cudaMalloc(&device->workspace_, kWorkspace);
  if (const cudaError_t error = cudaGetLastError()) {
    problem = cudaGetErrorString(error);
    return nullptr;
  }
  std::printf("{\"gpu\":\"%s\",\"cublasLt\":%zu}\n", properties.name, device->blas_->version());
  return device;
}

BenchDevice::~BenchDevice() {
  cudaFree(workspace_);
  cudaFree(memory_);
  cudaFree(context_.fault);
  if (context_.stream) cudaStreamDestroy(context_.stream);
}

std::vector<BenchDevice::Set> BenchDevice::place(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs, int64_t& bytes) {
  std::vector<Set> sets;
  int64_t used = 0;
  do {
    Set set;
    for (const auto* shapes : {&inputs, &outputs}) {
      for (const Shape& shape : *shapes) {
        Tensor tensor{};
        int64_t size = 0;
        if (!shape.extents.empty()) {
          tensor.data = memory_ + used;
          tensor.type = shape.type;
          tensor.rank = static_cast<int32_t>(shape.extents.size());
          std::copy(shape.extents.begin(), shape.extents.end(), tensor.shape);
          size = tensor.elements() * static_cast<int64_t>(elementBytes(shape.type));
          used += (size + 255) / 256 * 256;
          // 0.0115 in float32 and in bf16.
          cudaMemset(tensor.data, shape.type == DType::i32 ? 0 : 0x3c, size);
          if (shape.ascending) {
            std::vector<int32_t> numbers(tensor.elements());
            for (size_t i = 0; i < numbers.size(); i++) numbers[i] = static_cast<int32_t>(i);
            cudaMemcpy(tensor.data, numbers.data(), size, cudaMemcpyHostToDevice);
          }
        }
        (shapes == &inputs ? set.inputs : set.outputs).push_back(tensor);
      }
    }
    bytes = used / static_cast<int64_t>(sets.size() + 1);
    sets.push_back(std::move(set));
  } while (used < kCache && used + bytes < kMemory);
  return sets;
}

double BenchDevice::measure(const std::string& what, const std::vector<Set>& sets, const std::function<const char*(const Set&)>& launch) {
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  std::vector<float> times;
  const char* problem = nullptr;
  const size_t perRound = std::max<size_t>(8, sets.size());
  for (int round = 0; round < kRounds && !problem; round++) {
    cudaEventRecord(begin, context_.stream);
    for (size_t i = 0; i < perRound && !problem; i++) problem = launch(sets[i % sets.size()]);
    cudaEventRecord(end, context_.stream);
    cudaEventSynchronize(end);
    float milliseconds = 0;
    cudaEventElapsedTime(&milliseconds, begin, end);
    times.push_back(1000 * milliseconds / static_cast<float>(perRound));
  }
  cudaEventDestroy(begin);
  cudaEventDestroy(end);
  const cudaError_t error = cudaGetLastError();
  if (!problem && error != cudaSuccess) problem = cudaGetErrorString(error);
  if (!problem) {
    std::nth_element(times.begin(), times.begin() + kRounds / 2, times.end());
    return times[kRounds / 2];
  }
  std::printf("{\"op\":\"%s\",\"problem\":\"%s\"}\n", what.c_str(), problem);
  failed_ = true;
  return -1;
}

void BenchDevice::time(const std::string& op, const std::string& shape, const std::vector<Shape>& inputs, const std::vector<Shape>& outputs,
                       const std::vector<double>& attributes, int64_t bytes, int64_t flops) {
  int64_t all = 0;
  const std::vector<Set> sets = place(inputs, outputs, all);
  const Kernel kernel = find(op);
  const double us = measure(op, sets, [&](const Set& set) {
    return kernel ? kernel({set.inputs.data(), set.outputs.data(), attributes.data(), workspace_, &context_}) : "there is no such kernel";
  });
  if (us < 0) return;
  const char* type = inputs[0].type == DType::bf16 ? "bf16" : "f32";
  std::printf("{\"op\":\"%s\",\"shape\":\"%s\",\"type\":\"%s\",\"us\":%.2f,", op.c_str(), shape.c_str(), type, us);
  if (flops)
    std::printf("\"tflops\":%.0f}\n", static_cast<double>(flops) / us / 1e6);
  else
    std::printf("\"gbs\":%.0f}\n", static_cast<double>(bytes ? bytes : all) / us / 1e3);
  std::fflush(stdout);
}

void BenchDevice::timeProduct(const std::string& name, const std::array<int64_t, 3>& extents, bool transposeA, bool transposeB, bool accumulate, DType type) {
  const auto [rows, columns, inner] = extents;
  const Shape a{DType::bf16, transposeA ? std::vector{inner, rows} : std::vector{rows, inner}};
  const Shape b{DType::bf16, transposeB ? std::vector{columns, inner} : std::vector{inner, columns}};
  int64_t bytes = 0;
  const std::vector<Set> sets = place({a, b}, {{type, {rows, columns}}}, bytes);
  const auto productOf = [&, rows = rows, columns = columns, inner = inner](const Set& set) -> Product {
    const Tensor &x = set.inputs[0], &y = set.inputs[1], &d = set.outputs[0];
    const Matrix left{x.data, x.type, x.shape[1], transposeA}, right{y.data, y.type, y.shape[1], transposeB};
    return {rows, columns, inner, 1, left, right, accumulate ? d.data : nullptr, d.data, type, columns};
  };
  double first = 0, best = 0;
  int bestIndex = 0;
  const Product any = productOf(sets[0]);  // all sets are aligned alike
  const int algorithms = blas_->algorithms(any);
  for (int index = 0; index == 0 || index < algorithms; index++) {
    blas_->choose(any, index);
    const double us = measure(name, sets, [&](const Set& set) { return blas_->multiply(context_.stream, productOf(set)); });
    if (us < 0) return;
    if (index == 0) first = us;
    if (index > 0 && us >= best) continue;
    best = us;
    bestIndex = index;
  }
  const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(columns) * static_cast<double>(inner);
  std::printf("{\"product\":\"%s\",\"us\":%.2f,\"tflops\":%.0f,\"best\":%d,\"of\":%d,\"bestUs\":%.2f,\"bestTflops\":%.0f}\n", name.c_str(), first,
              flops / first / 1e6, bestIndex, algorithms, best, flops / best / 1e6);
  std::fflush(stdout);
}

}  // namespace anneal::cuda
