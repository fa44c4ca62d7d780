#pragma once

#include <cuda_runtime.h>

#include <memory>
#include <string>

#include "dtype.h"

namespace anneal::cuda {

/** A row-major matrix on the device; `stride` counts elements between the rows as stored, `transposed` says op(X) = Xᵀ. */
struct Matrix {
  const void* data;
  DType type;
  int64_t stride;
  bool transposed;
};

/**
 * d[rows, columns] = alpha · op(a)[rows, inner] · op(b)[inner, columns] (+ c). a and b are both float32 (products in float32: no
 * TF32) or both bf16; d is float32 or bf16, summed in float32 and rounded once. c is laid out as d and may be d.
 */
struct Product {
  int64_t rows, columns, inner;
  float alpha;
  Matrix a, b;
  const void* c;  // null: nothing is added
  void* d;
  DType type;      // of c and d
  int64_t stride;  // of c and d
};

/**
 * cuBLASLt, opened at run time. Products of one shape always run the same algorithm: the first that the library proposes, or the
 * one chosen with `choose`. Only algorithms that give the same bits every run are taken. For one stream at a time, as all products
 * share the workspace.
 */
class Blas {
 public:
  /**
   * With a workspace of so many bytes on the device, on which algorithms may depend. Null where there is no cuBLASLt; `problem` then says
   * what was looked for and what to do. The device's context must be current.
   */
  static std::unique_ptr<Blas> open(size_t workspace_bytes, std::string& problem);
  ~Blas();
  Blas(const Blas&) = delete;
  Blas& operator=(const Blas&) = delete;

  /** Enqueues the product. Returns null, or what is wrong: a static string. */
  const char* multiply(cudaStream_t stream, const Product& product);

  /** How many algorithms there are for products of this shape, types and alignment, best first by the library's own estimate. */
  int algorithms(const Product& product);
  /** Runs such products with the algorithm of this index from now on; false where there is none. The order is the library's: remember `version` with it. */
  bool choose(const Product& product, int index);

  /** As cuBLAS numbers itself: 130002 is 13.0.2. */
  size_t version() const;
  /** The file it was opened from. */
  const std::string& path() const;

 private:
  struct State;
  explicit Blas(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace anneal::cuda
