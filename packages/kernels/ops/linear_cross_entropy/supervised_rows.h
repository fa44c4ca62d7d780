#pragma once

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

/** As crossEntropyRow, of the logits as they are. */
double plainCrossEntropyRow(float* logits, int64_t V, int32_t label, const float* scale) {
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
  if (scale) {
    const Vec factor = Vec::set(static_cast<float>(*scale / total));
    int64_t i = 0;
    for (; i + Vec::width <= V; i += Vec::width) (Vec::load(logits + i) * factor).store(logits + i);
    for (; i < V; i++) logits[i] *= static_cast<float>(*scale / total);
    logits[label] -= *scale;
  }
  return std::log(total) + static_cast<double>(largest) - static_cast<double>(labelLogit);
}

/** As crossEntropyRow, of the logits cap · tanh(logit / cap), whose slope 1 - (capped / cap)² the gradient has as a factor. */
double cappedCrossEntropyRow(float* logits, int64_t V, int32_t label, const float* scale, float cap) {
  const Vec most = Vec::set(cap), share = Vec::set(1 / cap), one = Vec::set(1.0f);
  forLanes(V, [=](int64_t i, int lanes) { (most * tanh(share * Vec::load(logits + i, lanes))).store(logits + i, lanes); });
  const float largest = maximum(logits, V), labelLogit = logits[label];
  const Vec shift = Vec::set(largest);
  double total = 0;
  for (int64_t begin = 0; begin < V; begin += 1024) {
    Vec sums = Vec::zero();
    forLanes(V - begin < 1024 ? V - begin : 1024, [&](int64_t i, int lanes) {
      alignas(64) float kept[Vec::width] = {};
      exp(Vec::load(logits + begin + i, lanes) - shift).store(kept, lanes);
      sums += Vec::load(kept);
    });
    total += static_cast<double>(sum(sums));
  }
  if (scale) {
    const Vec factor = Vec::set(static_cast<float>(*scale / total));
    const float labelShare = labelLogit / cap;
    forLanes(V, [=](int64_t i, int lanes) {
      const Vec capped = Vec::load(logits + i, lanes), part = share * capped;
      (exp(capped - shift) * factor * (one - part * part)).store(logits + i, lanes);
    });
    logits[label] -= *scale * (1 - labelShare * labelShare);
  }
  return std::log(total) + static_cast<double>(largest) - static_cast<double>(labelLogit);
}

/**
 * -log softmax(logits)[label], the logits being under the launch's soft cap, if it has one; where there is a scale they become
 * scale · (softmax - onehot), times the slope of the cap.
 */
double crossEntropyRow(const Launch& launch, float* logits, int32_t label, const float* scale) {
  const int64_t V = launch.inputs[1].shape[0];
  const float cap = static_cast<float>(launch.attributes[2]);
  return cap == 0 ? plainCrossEntropyRow(logits, V, label, scale) : cappedCrossEntropyRow(logits, V, label, scale, cap);
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

/**
 * Forms the logits of the supervised rows, a chunk of them at a time, and calls row(r, logits, label) for each, r counting from 0. Where
 * there is a `dx`, it leaves in the logits their gradients, of which those of x and, where it is trained, of the weight are made;
 * rows that are not supervised get zeros.
 */
template <class Row>
const char* overSupervisedRows(const Launch& launch, float* dx, const Tensor* gradient, const Row& row) {
  const Tensor x = launch.inputs[0], weight = launch.inputs[1];
  const int32_t* labels = launch.inputs[2].i32();
  const int32_t* supervised = launch.inputs[3].i32();
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
    parallelFor(context, count, 1, [&](int64_t first, int64_t end) {
      for (int64_t i = first; i < end; i++) row(begin + i, chunk.logits + i * V, labels[rows[i]]);
    });
    if (dx) {
      gemm(context, count, D, V, 1.0f, {chunk.logits, DType::f32, V, false}, {weight.data, weight.type, D, false}, chunk.dx, D, false, compute);
      moveRows<true>(context, chunk.dx, dx, rows, count, D);
    }
    if (gradient) gemm(context, V, D, count, 1.0f, {chunk.logits, DType::f32, V, true}, packed, gradient->f32(), D, true, compute);
  }
  return nullptr;
}

}  // namespace
}  // namespace anneal::ANNEAL_ISA
