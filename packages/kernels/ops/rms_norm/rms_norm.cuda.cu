#include "cuda/column_sums.cuh"
#include "cuda/row_shape.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct Forward {
  const A* x;
  const float* weight;
  A* y;
  float* rstd;
  float eps, offset;
};

template <int V, int Group, int Items, typename A>
__global__ void __launch_bounds__(kRowThreads) rmsNormKernel(int64_t rows, int width, Forward<A> of) {
  const Place place = placeOf<Group>(rows);
  const A* x = of.x + place.row * width;
  Held<V, Items> held;
  float square = 0;
  forRow<V, Group, Items>(width, place.lane, [&](int column, int item) {
    auto& values = held.values[item];
    load<V>(x + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) square = fmaf(values[j], values[j], square);
  });
  const float r = 1.0f / sqrtf(sumGroup<Group>(square) / static_cast<float>(width) + of.eps);
  if (!place.real) return;
  if (place.lane == 0) of.rstd[place.row] = r;
  A* y = of.y + place.row * width;
  forRow<V, Group, Items>(width, place.lane, [&](int column, int item) {
    auto& values = held.values[item];
    if constexpr (Items == 0) load<V>(x + column, values);
    float w[V];
    load<V>(of.weight + column, w);
#pragma unroll
    for (int j = 0; j < V; j++) w[j] = (w[j] + of.offset) * (values[j] * r);
    store<V>(y + column, w);
  });
}

template <typename A>
struct Backward {
  const A *dy, *x;
  const float *weight, *rstd;
  const A* c;
  A* dx;
  float offset;
};

template <int V, int Group, int Items, typename A>
__global__ void __launch_bounds__(kRowThreads) rmsNormBackwardInputKernel(int64_t rows, int width, Backward<A> of) {
  const Place place = placeOf<Group>(rows);
  const int64_t start = place.row * width;
  Held<V, Items> heldX, heldG;  // g = dy · (weight + offset)
  const auto read = [&](int column, int item) {
    float w[V];
    load<V>(of.x + start + column, heldX.values[item]);
    load<V>(of.dy + start + column, heldG.values[item]);
    load<V>(of.weight + column, w);
#pragma unroll
    for (int j = 0; j < V; j++) heldG.values[item][j] *= w[j] + of.offset;
  };
  float product = 0;
  forRow<V, Group, Items>(width, place.lane, [&](int column, int item) {
    read(column, item);
#pragma unroll
    for (int j = 0; j < V; j++) product = fmaf(heldG.values[item][j], heldX.values[item][j], product);
  });
  product = sumGroup<Group>(product);
  if (!place.real) return;
  const float r = of.rstd[place.row];
  const float along = -r * r * r * product / static_cast<float>(width);
  forRow<V, Group, Items>(width, place.lane, [&](int column, int item) {
    if constexpr (Items == 0) read(column, item);
    float values[V] = {};
    if (of.c) load<V>(of.c + start + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] += fmaf(heldX.values[item][j], along, heldG.values[item][j] * r);
    store<V>(of.dx + start + column, values);
  });
}

/** gradient's terms: dy · x · rstd, a group of a token being a row. */
template <typename A>
struct WeightTerms {
  const A *dy, *x;
  const float* rstd;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column, float (&values)[V]) const {
    float normed[V];
    const float r = rstd[row];
    load<V>(dy + row * width + column, values);
    load<V>(x + row * width + column, normed);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] *= normed[j] * r;
  }
};

}  // namespace

const char* rms_norm(const Launch& launch) {
  const Tensor x = launch.inputs[0], weight = launch.inputs[1], y = launch.outputs[0];
  const int64_t width = weight.shape[0], rows = x.elements() / width;
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Forward<A> of{dataOf<A>(x), weight.f32(), dataOf<A>(y), launch.outputs[1].f32(), static_cast<float>(launch.attributes[0]),
                        static_cast<float>(launch.attributes[1])};
    withRowShape<A>(width, [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, rows, width, rmsNormKernel<S::V, S::group, S::items, A>, of);
    });
  });
}

const char* rms_norm_backward_input(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], weight = launch.inputs[2], dx = launch.outputs[0];
  const int64_t width = weight.shape[0], rows = x.elements() / width;
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Backward<A> of{dataOf<A>(dy), dataOf<A>(x), weight.f32(), launch.inputs[3].f32(), dataOf<A>(launch.inputs[4]), dataOf<A>(dx),
                         static_cast<float>(launch.attributes[0])};
    withRowShape<A>(width, [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, rows, width, rmsNormBackwardInputKernel<S::V, S::group, S::items, A>, of);
    });
  });
}

/** Workspace: columnSums of T · G rows. */
const char* rms_norm_backward_weight(const Launch& launch) {
  const Tensor dy = launch.inputs[0], x = launch.inputs[1], gradient = launch.outputs[0];
  const int64_t width = gradient.shape[0], rows = x.elements() / width;
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    columnSums<A>(launch, rows, width, WeightTerms<A>{dataOf<A>(dy), dataOf<A>(x), launch.inputs[2].f32(), width}, gradient.f32());
  });
}

}  // namespace anneal::cuda
