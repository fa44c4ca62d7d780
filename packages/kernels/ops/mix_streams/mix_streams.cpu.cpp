#include "cpu/parallel.h"
#include "cpu/simd.h"
#include "kernel.h"

namespace anneal::ANNEAL_ISA {
namespace {

/** Streams of tokens: the first of each apart, the others beside each other. */
template <class Value>
struct Streams {
  Value *first, *others;
  int64_t count, width;

  Value* at(int64_t token, int64_t stream) const {
    return stream == 0 ? first + token * width : others + (token * (count - 1) + stream - 1) * width;
  }
};

}  // namespace

const char* mix_streams(const Launch& launch) {
  const float* weights = launch.inputs[2].f32();
  const int64_t T = launch.inputs[0].shape[0], D = launch.inputs[0].shape[1], O = static_cast<int64_t>(launch.attributes[0]);
  const int64_t N = launch.inputs[2].shape[1] / O;
  const Streams<const float> x{launch.inputs[0].f32(), launch.inputs[1].f32(), N, D};
  const Streams<float> y{launch.outputs[0].f32(), launch.outputs[1].f32(), O, D};
  parallelFor(*launch.context, T, grainFor(N * O * D), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++)
      for (int64_t j = 0; j < O; j++) {
        const float *own = x.at(t, j % N), *row = weights + (t * O + j) * N;
        float* to = y.at(t, j);
        forLanes(D, [=](int64_t d, int count) {
          Vec sum = Vec::load(own + d, count);
          for (int64_t i = 0; i < N; i++) sum = fma(Vec::set(row[i]), Vec::load(x.at(t, i) + d, count), sum);
          sum.store(to + d, count);
        });
      }
  });
  return nullptr;
}

const char* mix_streams_backward(const Launch& launch) {
  const float* weights = launch.inputs[4].f32();
  float* dweights = launch.outputs[2].f32();
  const int64_t T = launch.inputs[2].shape[0], D = launch.inputs[2].shape[1], O = static_cast<int64_t>(launch.attributes[0]);
  const int64_t N = launch.inputs[4].shape[1] / O;
  const Streams<const float> dy{launch.inputs[0].f32(), launch.inputs[1].f32(), O, D}, x{launch.inputs[2].f32(), launch.inputs[3].f32(), N, D};
  const Streams<float> dx{launch.outputs[0].f32(), launch.outputs[1].f32(), N, D};
  parallelFor(*launch.context, T, grainFor(2 * N * O * D), [=](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; t++)
      for (int64_t i = 0; i < N; i++) {
        const float *xi = x.at(t, i), *column = weights + t * O * N + i;
        float* to = dx.at(t, i);
        forLanes(D, [=](int64_t d, int count) {
          Vec sum = Vec::zero();
          for (int64_t j = 0; j < O; j++) {
            const float share = column[j * N] + (j % N == i ? 1.0f : 0.0f);
            sum = fma(Vec::set(share), Vec::load(dy.at(t, j) + d, count), sum);
          }
          sum.store(to + d, count);
        });
        for (int64_t j = 0; j < O; j++) {
          const float* dyj = dy.at(t, j);
          Vec products = Vec::zero();
          forLanes(D, [=, &products](int64_t d, int count) {
            products = fma(Vec::load(dyj + d, count), Vec::load(xi + d, count), products);
          });
          dweights[(t * O + j) * N + i] = sum(products);
        }
      }
  });
  return nullptr;
}

}  // namespace anneal::ANNEAL_ISA
