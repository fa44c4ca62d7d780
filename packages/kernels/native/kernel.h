#pragma once

#include <cstddef>
#include <cstdint>

#include "context.h"
#include "dtype.h"

namespace anneal {

/** A view of bytes in the arena. An absent optional input has no data. */
struct Tensor {
  char* data;
  DType type;
  int32_t rank;
  int64_t shape[4];

  float* f32() const { return reinterpret_cast<float*>(data); }
  uint16_t* bf16() const { return reinterpret_cast<uint16_t*>(data); }
  uint8_t* u8() const { return reinterpret_cast<uint8_t*>(data); }
  int32_t* i32() const { return reinterpret_cast<int32_t*>(data); }
  double* f64() const { return reinterpret_cast<double*>(data); }
  bool absent() const { return data == nullptr; }
  int64_t elements() const {
    int64_t count = 1;
    for (int32_t i = 0; i < rank; i++) count *= shape[i];
    return count;
  }
};

/** One application of an op: inputs, outputs and attributes in the order its op.ts declares them. */
struct Launch {
  const Tensor* inputs;
  const Tensor* outputs;
  const double* attributes;
  char* workspace;
  Context* context;
};

/** Returns null, or what is wrong with the values in the tensors (a token id out of range): a static string. */
using Kernel = const char* (*)(const Launch&);

struct KernelEntry {
  const char* name;
  Kernel kernel;
};

/** All kernels of one instruction set, ended by an entry without a name. */
struct KernelSet {
  const char* isa;
  bool (*supported)();
  const KernelEntry* kernels;
};

}  // namespace anneal
