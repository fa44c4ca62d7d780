#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cuda/blas.h"
#include "cuda/cuda_context.h"

namespace anneal::cuda {

/** What a benchmark's tensor is to be; without extents it is absent. Integers are 0, or their own index where `ascending`. */
struct Shape {
  DType type = DType::f32;
  std::vector<int64_t> extents;
  bool ascending = false;
};

/** One GPU with room for the tensors of one launch, several times over: a launch finds none of its data in the cache. */
class BenchDevice {
 public:
  /** Null where there is no GPU or no cuBLASLt: `problem` says why. */
  static std::unique_ptr<BenchDevice> open(std::string& problem);
  ~BenchDevice();

  /** Prints the median time of the op, with GB/s of `bytes` (0: of all inputs and outputs), or TFLOP/s where `flops` is given. */
  void time(const std::string& op, const std::string& shape, const std::vector<Shape>& inputs, const std::vector<Shape>& outputs,
            const std::vector<double>& attributes, int64_t bytes = 0, int64_t flops = 0);

  /** Prints the time of op(a) · op(b) in bf16 (+ d) with the first algorithm and with the best. `extents` are rows, columns, inner. */
  void timeProduct(const std::string& name, const std::array<int64_t, 3>& extents, bool transposeA, bool transposeB, bool accumulate, DType type);

  bool failed() const { return failed_; }

 private:
  struct Set;
  BenchDevice() = default;
  std::vector<Set> place(const std::vector<Shape>& inputs, const std::vector<Shape>& outputs, int64_t& bytes);
  /** Median microseconds of a launch with each of the sets in turn; below 0 with a message printed where it fails. */
  double measure(const std::string& what, const std::vector<Set>& sets, const std::function<const char*(const Set&)>& launch);

  CudaContext context_{};
  std::unique_ptr<Blas> blas_;
  char* memory_ = nullptr;
  char* workspace_ = nullptr;
  bool failed_ = false;
};

}  // namespace anneal::cuda
