#include "cuda/row_shape.cuh"

namespace anneal::cuda {
namespace {

struct Statistics {
  float mean, deviation;
};

template <int V, int Group, typename A>
__device__ Statistics statisticsOf(const A* x, int width, int lane) {
  const float count = static_cast<float>(width);
  float total = 0;
  forRow<V, Group, 0>(width, lane, [&](int column, int) {
    float values[V];
    load<V>(x + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) total += values[j];
  });
  const float mean = sumGroup<Group>(total) / count;
  float squares = 0;
  forRow<V, Group, 0>(width, lane, [&](int column, int) {
    float values[V];
    load<V>(x + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) squares = fmaf(values[j] - mean, values[j] - mean, squares);
  });
  return {mean, sqrtf(sumGroup<Group>(squares) / count)};
}

template <typename A>
struct Rows {
  const A *dy, *x;
  A* out;
  float deviations;
};

template <int V, int Group, typename A>
__global__ void __launch_bounds__(kRowThreads) gaussianTopKernel(int64_t rows, int width, Rows<A> of) {
  const Place place = placeOf<Group>(rows);
  const A* x = of.x + place.row * width;
  const Statistics row = statisticsOf<V, Group>(x, width, place.lane);
  if (!place.real) return;
  const float cutoff = row.mean + of.deviations * row.deviation;
  forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
    float values[V];
    load<V>(x + column, values);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = fmaxf(values[j] - cutoff, 0.0f);
    store<V>(of.out + place.row * width + column, values);
  });
}

template <int V, int Group, typename A>
__global__ void __launch_bounds__(kRowThreads) gaussianTopBackwardKernel(int64_t rows, int width, Rows<A> of) {
  const Place place = placeOf<Group>(rows);
  const A *x = of.x + place.row * width, *dy = of.dy + place.row * width;
  const Statistics row = statisticsOf<V, Group>(x, width, place.lane);
  const float cutoff = row.mean + of.deviations * row.deviation;
  float total = 0;
  forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
    float values[V], slopes[V];
    load<V>(x + column, values);
    load<V>(dy + column, slopes);
#pragma unroll
    for (int j = 0; j < V; j++) total += values[j] > cutoff ? slopes[j] : 0.0f;
  });
  const float share = sumGroup<Group>(total) / static_cast<float>(width);
  const float tilt = row.deviation > 0 ? of.deviations * share / row.deviation : 0.0f;
  if (!place.real) return;
  forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
    float values[V], slopes[V];
    load<V>(x + column, values);
    load<V>(dy + column, slopes);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = (values[j] > cutoff ? slopes[j] : 0.0f) - fmaf(tilt, values[j] - row.mean, share);
    store<V>(of.out + place.row * width + column, values);
  });
}

template <typename A>
Rows<A> rowsOf(const Launch& launch, const A* dy, const Tensor& x) {
  return {dy, dataOf<A>(x), dataOf<A>(launch.outputs[0]), static_cast<float>(launch.attributes[0])};
}

}  // namespace

const char* gaussian_top(const Launch& launch) {
  const Tensor x = launch.inputs[0];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    withRowShape<A>(x.shape[1], [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, x.shape[0], x.shape[1], gaussianTopKernel<S::V, S::group, A>, rowsOf<A>(launch, nullptr, x));
    });
  });
}

const char* gaussian_top_backward(const Launch& launch) {
  const Tensor x = launch.inputs[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    withRowShape<A>(x.shape[1], [&](auto shape) {
      using S = decltype(shape);
      const Rows<A> rows = rowsOf<A>(launch, dataOf<A>(launch.inputs[0]), x);
      launchRows<S::group>(launch, x.shape[0], x.shape[1], gaussianTopBackwardKernel<S::V, S::group, A>, rows);
    });
  });
}

}  // namespace anneal::cuda
