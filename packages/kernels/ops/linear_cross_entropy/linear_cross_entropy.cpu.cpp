#include <cmath>
#include <cstring>

#include "cpu/gemm/gemm.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Laid out in the launch's workspace; op.ts sizes it. */
struct Chunk {
  float* logits;    // [rows, V]
  float* x;         // [rows, D]
  float* dx;        // [rows, D]
};

char* aligned(char* at) { return reinterpret_cast<char*>((reinterpret_cast<uintptr_t>(at) + 63) & ~uintptr_t{63}); }

Chunk layOut(char* workspace, int64_t rows, int64_t V, int64_t D) {
  Chunk chunk;
  chunk.logits = reinterpret_cast<float*>(workspace);
  chunk.x = reinterpret_cast<float*>(aligned(workspace + 4 * rows * V));
  chunk.dx = reinterpret_cast<float*>(aligned(reinterpret_cast<char*>(chunk.x + rows * D)));
  return chunk;
}

float maximum(const float* values, int64_t count) {
  Vec m = Vec::set(-INFINITY);
  int64_t i = 0;
  for (; i + Vec::width <= count; i += Vec::width) m = max(m, Vec::load(values + i));
  float largest = hmax(m);
  for (; i < count; i++) largest = values[i] > largest ? values[i] : largest;
  return largest;
}

/** -log softmax(logits)[label]; replaces the logits by scale · (softmax - onehot) when scale is not 0. */
double crossEntropyRow(float* logits, int64_t V, int32_t label, float scale) {
  const float largest = maximum(logits, V);
  const float labelLogit = logits[label];
  const Vec shift = Vec::set(largest);
  // Partial sums of 1024 keep float32 accurate over a vocabulary of any size.
  double total = 0;
  for (int64_t begin = 0; begin < V; begin += 1024) {
    const int64_t end = begin + 1024 < V ? begin + 1024 : V;
    Vec sums = Vec::zero();
    int64_t i = begin;
    for (; i + Vec::width <= end; i += Vec::width) {
      const Vec e = exp(Vec::load(logits + i) - shift);
      e.store(logits + i);
      sums = sums + e;
    }
    if (i < end) {
      const int count = static_cast<int>(end - i);
      exp(Vec::load(logits + i, count) - shift).store(logits + i, count);
      sums = sums + Vec::load(logits + i, count);
    }
    total += static_cast<double>(sum(sums));
  }
  if (scale != 0.0f) {
    const Vec factor = Vec::set(static_cast<float>(scale / total));
    int64_t i = 0;
    for (; i + Vec::width <= V; i += Vec::width) (Vec::load(logits + i) * factor).store(logits + i);
    for (; i < V; i++) logits[i] *= static_cast<float>(scale / total);
    logits[label] -= scale;
  }
  return std::log(total) + static_cast<double>(largest) - static_cast<double>(labelLogit);
}

/** Copies x[rows[i]] to packed[i], or back. */
template <bool kScatter>
void moveRows(Context& context, float* packed, float* x, const int32_t* rows, int64_t count, int64_t D) {
  parallelFor(context, count, grainFor(D), [=](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i++) {
      if (kScatter)
        std::memcpy(x + rows[i] * D, packed + i * D, D * sizeof(float));
      else
        std::memcpy(packed + i * D, x + rows[i] * D, D * sizeof(float));
    }
  });
}

const char* run(const Launch& launch, const float* scale, float* dx, const Tensor* gradient) {
  const Tensor x = launch.inputs[0], weight = launch.inputs[1];
  const int32_t* labels = launch.inputs[2].i32();
  const int32_t* supervised = launch.inputs[3].i32();
  double* loss = launch.outputs[0].f64();
  double* losses = launch.outputs[1].f64();
  Context& context = *launch.context;
  const int64_t T = x.shape[0], D = x.shape[1], V = weight.shape[0], R = launch.inputs[3].shape[0];
  const int64_t chunkRows = static_cast<int64_t>(launch.attributes[1]) < R ? static_cast<int64_t>(launch.attributes[1]) : R;
  const DType compute = launch.attributes[0] != 0 ? DType::bf16 : DType::f32;
  const Chunk chunk = layOut(launch.workspace, chunkRows, V, D);

  for (int64_t r = 0; r < R; r++) {
    if (supervised[r] < 0 || supervised[r] >= T) return "a supervised row lies outside the batch";
    if (labels[supervised[r]] < 0 || labels[supervised[r]] >= V) return "a label lies outside the vocabulary";
  }
  if (dx) std::memset(dx, 0, T * D * sizeof(float));
  for (int64_t begin = 0; begin < R; begin += chunkRows) {
    const int64_t count = R - begin < chunkRows ? R - begin : chunkRows;
    const int32_t* rows = supervised + begin;
    moveRows<false>(context, chunk.x, x.f32(), rows, count, D);
    const Matrix packed{chunk.x, DType::f32, D, false};
    gemm(context, count, V, D, 1.0f, packed, {weight.data, weight.type, D, true}, chunk.logits, V, false, compute);
    const float factor = scale ? *scale : 0.0f;
    parallelFor(context, count, 1, [=](int64_t first, int64_t end) {
      for (int64_t i = first; i < end; i++) losses[begin + i] = crossEntropyRow(chunk.logits + i * V, V, labels[rows[i]], factor);
    });
    for (int64_t i = begin; i < begin + count; i++) *loss += losses[i];
    if (dx) {
      gemm(context, count, D, V, 1.0f, {chunk.logits, DType::f32, V, false}, {weight.data, weight.type, D, false}, chunk.dx, D, false, compute);
      moveRows<true>(context, chunk.dx, dx, rows, count, D);
    }
    if (gradient) gemm(context, V, D, count, 1.0f, {chunk.logits, DType::f32, V, true}, packed, gradient->f32(), D, true, compute);
  }
  return nullptr;
}

}  // namespace

const char* linear_cross_entropy(const Launch& launch) { return run(launch, nullptr, nullptr, nullptr); }

const char* linear_cross_entropy_training(const Launch& launch) {
  const Tensor* gradient = launch.inputs[6].absent() ? nullptr : &launch.inputs[6];
  return run(launch, launch.inputs[4].f32(), launch.outputs[2].f32(), gradient);
}

}  // namespace anneal::ANNEAL_ISA
