#include "cpu/addend.h"
#include "cpu/gemm/gemm.h"
#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {

/** gate · sigmoid(argument): the argument is the gate itself for silu, 2√(2/π) · (gate + 0.044715 gate³) for gelu by its tanh formula. */
template <bool kGelu>
static Vec argumentOf(Vec gate) {
  if (!kGelu) return gate;
  return gate * fma(gate * gate, Vec::set(0.0713548163f), Vec::set(1.59576912f));
}

/** d argument / d gate, times `by`. */
template <bool kGelu>
static Vec timesSlope(Vec gate, Vec by) {
  if (!kGelu) return by;
  return by * fma(gate * gate, Vec::set(0.214064449f), Vec::set(1.59576912f));
}

/** y = activation(gate) · up over `size` elements. */
template <bool kGelu>
static void forward(const float* gate, const float* up, float* y, int64_t size) {
  for (int64_t i = 0; i < size; i += Vec::width) {
    const int count = lanesAt(i, size);
    const Vec g = Vec::load(gate + i, count);
    (g * sigmoid(argumentOf<kGelu>(g)) * Vec::load(up + i, count)).store(y + i, count);
  }
}

template <bool kGelu>
static void backward(const float* dy, const float* gate, const float* up, float* dgate, float* dup, int64_t size) {
  const Vec one = Vec::set(1.0f);
  for (int64_t i = 0; i < size; i += Vec::width) {
    const int count = lanesAt(i, size);
    const Vec g = Vec::load(gate + i, count), u = Vec::load(up + i, count), d = Vec::load(dy + i, count);
    const Vec s = sigmoid(argumentOf<kGelu>(g));
    (d * u * s * fma(g, timesSlope<kGelu>(g, one - s), one)).store(dgate + i, count);
    (d * g * s).store(dup + i, count);
  }
}

static bool isGelu(const Launch& launch, int attribute) { return launch.attributes[attribute] != 0; }

const char* swiglu(const Launch& launch) {
  const auto run = isGelu(launch, 0) ? forward<true> : forward<false>;
  const float* gate = launch.inputs[0].f32();
  const float* up = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  parallelFor(*launch.context, launch.outputs[0].elements(), 4096,
              [=](int64_t begin, int64_t end) { run(gate + begin, up + begin, y + begin, end - begin); });
  return nullptr;
}

const char* swiglu_backward(const Launch& launch) {
  const auto run = isGelu(launch, 0) ? backward<true> : backward<false>;
  const float* dy = launch.inputs[0].f32();
  const float* gate = launch.inputs[1].f32();
  const float* up = launch.inputs[2].f32();
  float* dgate = launch.outputs[0].f32();
  float* dup = launch.outputs[1].f32();
  parallelFor(*launch.context, launch.outputs[0].elements(), 4096, [=](int64_t begin, int64_t end) {
    run(dy + begin, gate + begin, up + begin, dgate + begin, dup + begin, end - begin);
  });
  return nullptr;
}

/** [gate up] with the products that are added to it: in the workspace where there are any. `low` is the place of the first of their inputs. */
static const float* withProducts(const Launch& launch, const Tensor& x, int low) {
  const Tensor inner = launch.inputs[low];
  if (inner.absent()) return x.f32();
  Tensor sum = x;
  sum.data = launch.workspace;
  placeAddend(*launch.context, x, sum);
  for (int half = 0; half < 2; half++) {
    const Tensor factor = launch.inputs[low + 1 + half];
    const int64_t columns = factor.shape[0], rank = factor.shape[1];
    gemm(*launch.context, x.shape[0], columns, rank, static_cast<float>(launch.attributes[0]), {inner.f32() + half * rank, inner.type, inner.shape[1], false},
         {factor.data, factor.type, rank, true}, sum.f32() + half * columns, x.shape[1], true, launch.attributes[1] != 0 ? DType::bf16 : DType::f32);
  }
  return sum.f32();
}

const char* swiglu_merged(const Launch& launch) {
  const auto run = isGelu(launch, 2) ? forward<true> : forward<false>;
  const float* x = withProducts(launch, launch.inputs[0], 1);
  float* y = launch.outputs[0].f32();
  const int64_t columns = launch.outputs[0].shape[1];
  parallelFor(*launch.context, launch.outputs[0].shape[0], grainFor(3 * columns), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) run(x + 2 * t * columns, x + (2 * t + 1) * columns, y + t * columns, columns);
  });
  return nullptr;
}

const char* swiglu_merged_backward(const Launch& launch) {
  const auto run = isGelu(launch, 2) ? backward<true> : backward<false>;
  const float* dy = launch.inputs[0].f32();
  const float* x = withProducts(launch, launch.inputs[1], 2);
  float* dx = launch.outputs[0].f32();
  const int64_t columns = launch.inputs[0].shape[1];
  parallelFor(*launch.context, launch.inputs[0].shape[0], grainFor(5 * columns), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++) {
      const int64_t gate = 2 * t * columns, up = gate + columns;
      run(dy + t * columns, x + gate, x + up, dx + gate, dx + up, columns);
    }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
