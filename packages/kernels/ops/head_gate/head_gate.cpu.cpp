#include <cstring>

#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Calls body(pair, single) with where each head lies in x, beside its gate, and in a tensor of its own. */
template <class Body>
void forHeads(const Launch& launch, int64_t elements, const Body& body) {
  const int64_t size = static_cast<int64_t>(launch.attributes[0]);
  parallelFor(*launch.context, elements / size, grainFor(2 * size), [&](int64_t begin, int64_t end) {
    for (int64_t head = begin; head < end; head++) body(2 * head * size, head * size, static_cast<size_t>(size) * sizeof(float));
  });
}

/** Calls body(first, count) for vectors of all elements. */
template <class Body>
void forVectors(const Launch& launch, int64_t elements, const Body& body) {
  parallelFor(*launch.context, elements, 16384, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; i += Vec::width) body(i, static_cast<int>(end - i < Vec::width ? end - i : Vec::width));
  });
}

}  // namespace

const char* split_gate(const Launch& launch) {
  const float* x = launch.inputs[0].f32();
  float *q = launch.outputs[0].f32(), *gate = launch.outputs[1].f32();
  forHeads(launch, launch.outputs[0].elements(), [=](int64_t pair, int64_t single, size_t bytes) {
    std::memcpy(q + single, x + pair, bytes);
    std::memcpy(gate + single, x + pair + bytes / sizeof(float), bytes);
  });
  return nullptr;
}

const char* join_gate(const Launch& launch) {
  const float *q = launch.inputs[0].f32(), *gate = launch.inputs[1].f32();
  float* x = launch.outputs[0].f32();
  forHeads(launch, launch.inputs[0].elements(), [=](int64_t pair, int64_t single, size_t bytes) {
    std::memcpy(x + pair, q + single, bytes);
    std::memcpy(x + pair + bytes / sizeof(float), gate + single, bytes);
  });
  return nullptr;
}

const char* sigmoid_gate(const Launch& launch) {
  const float *x = launch.inputs[0].f32(), *gate = launch.inputs[1].f32();
  float* y = launch.outputs[0].f32();
  forVectors(launch, launch.inputs[0].elements(), [=](int64_t i, int count) {
    (Vec::load(x + i, count) * sigmoid(Vec::load(gate + i, count))).store(y + i, count);
  });
  return nullptr;
}

const char* sigmoid_gate_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32(), *gate = launch.inputs[2].f32();
  float *dx = launch.outputs[0].f32(), *dgate = launch.outputs[1].f32();
  forVectors(launch, launch.inputs[0].elements(), [=](int64_t i, int count) {
    const Vec d = Vec::load(dy + i, count), s = sigmoid(Vec::load(gate + i, count)), value = Vec::load(x + i, count);
    (d * s).store(dx + i, count);
    (d * value * s * (Vec::set(1.0f) - s)).store(dgate + i, count);
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
