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

/** As forLanes, over all threads. */
template <class Body>
void forVectors(const Launch& launch, int64_t elements, const Body& body) {
  parallelFor(*launch.context, elements, 16384, [&](int64_t begin, int64_t end) {
    forLanes(end - begin, [&](int64_t i, int count) { body(begin + i, count); });
  });
}

/** Calls body(gate, first element, elements) for gates of several elements each. */
template <class Body>
void forGates(const Launch& launch, const Tensor& x, const Tensor& gate, const Body& body) {
  const int64_t columns = x.shape[1] / gate.shape[1];
  parallelFor(*launch.context, gate.elements(), grainFor(2 * columns), [&](int64_t begin, int64_t end) {
    for (int64_t g = begin; g < end; g++) body(g, g * columns, columns);
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
  const int64_t gates = launch.inputs[1].elements();
  if (gates == launch.inputs[0].elements()) {
    forVectors(launch, gates, [=](int64_t i, int count) {
      (Vec::load(x + i, count) * sigmoid(Vec::load(gate + i, count))).store(y + i, count);
    });
    return nullptr;
  }
  forGates(launch, launch.inputs[0], launch.inputs[1], [=](int64_t g, int64_t first, int64_t columns) {
    const Vec s = sigmoid(Vec::set(gate[g]));
    forLanes(columns, [=](int64_t i, int count) { (Vec::load(x + first + i, count) * s).store(y + first + i, count); });
  });
  return nullptr;
}

const char* sigmoid_gate_backward(const Launch& launch) {
  const float *dy = launch.inputs[0].f32(), *x = launch.inputs[1].f32(), *gate = launch.inputs[2].f32();
  float *dx = launch.outputs[0].f32(), *dgate = launch.outputs[1].f32();
  const int64_t gates = launch.inputs[2].elements();
  const Vec one = Vec::set(1.0f);
  if (gates == launch.inputs[1].elements()) {
    forVectors(launch, gates, [=](int64_t i, int count) {
      const Vec d = Vec::load(dy + i, count), s = sigmoid(Vec::load(gate + i, count)), value = Vec::load(x + i, count);
      (d * s).store(dx + i, count);
      (d * value * s * (one - s)).store(dgate + i, count);
    });
    return nullptr;
  }
  forGates(launch, launch.inputs[1], launch.inputs[2], [=](int64_t g, int64_t first, int64_t columns) {
    const Vec s = sigmoid(Vec::set(gate[g]));
    Vec products = Vec::zero();
    forLanes(columns, [=, &products](int64_t i, int count) {
      const Vec d = Vec::load(dy + first + i, count);
      products = fma(d, Vec::load(x + first + i, count), products);
      (d * s).store(dx + first + i, count);
    });
    (Vec::set(sum(products)) * s * (one - s)).store(dgate + g, 1);
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
