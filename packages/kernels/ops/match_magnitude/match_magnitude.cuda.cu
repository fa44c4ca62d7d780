#include "cuda/row_shape.cuh"

namespace anneal::cuda {
namespace {

template <typename A>
struct Tensors {
  const A *dy, *x, *like;
  A *out, *dlike;
  int streams;
  float eps;
};

/** Σ a·b over a row, which every thread of its group gets. */
template <int V, int Group, typename A>
__device__ float dotRow(const A* a, const A* b, int width, int lane) {
  float total = 0;
  forRow<V, Group, 0>(width, lane, [&](int column, int) {
    float left[V], right[V];
    load<V>(a + column, left);
    load<V>(b + column, right);
#pragma unroll
    for (int j = 0; j < V; j++) total = fmaf(left[j], right[j], total);
  });
  return sumGroup<Group>(total);
}

/** y = a · x + b · z over a row. */
template <int V, int Group, typename A>
__device__ void combineRow(float a, const A* x, float b, const A* z, A* y, int width, int lane) {
  forRow<V, Group, 0>(width, lane, [&](int column, int) {
    float values[V], others[V];
    load<V>(x + column, values);
    load<V>(z + column, others);
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = fmaf(a, values[j], b * others[j]);
    store<V>(y + column, values);
  });
}

template <int V, int Group, typename A>
__global__ void __launch_bounds__(kRowThreads, 2) matchMagnitudeKernel(int64_t tokens, int width, Tensors<A> of) {
  const Place place = placeOf<Group>(tokens);
  const A* like = of.like + place.row * width;
  const float count = static_cast<float>(width), wanted = dotRow<V, Group>(like, like, width, place.lane) / count;
  for (int j = 0; j < of.streams; j++) {
    const int64_t at = (place.row * of.streams + j) * width;
    const float square = dotRow<V, Group>(of.x + at, of.x + at, width, place.lane) / count;
    const float factor = sqrtf(wanted / fmaxf(square, of.eps));
    if (place.real) combineRow<V, Group>(factor, of.x + at, 0.0f, of.x + at, of.out + at, width, place.lane);
  }
}

template <int V, int Group, typename A>
__global__ void __launch_bounds__(kRowThreads, 2) matchMagnitudeBackwardKernel(int64_t tokens, int width, Tensors<A> of) {
  const Place place = placeOf<Group>(tokens);
  const A* like = of.like + place.row * width;
  const float count = static_cast<float>(width), r = sqrtf(dotRow<V, Group>(like, like, width, place.lane) / count);
  float shares = 0;
  for (int j = 0; j < of.streams; j++) {
    const int64_t at = (place.row * of.streams + j) * width;
    const float square = dotRow<V, Group>(of.x + at, of.x + at, width, place.lane) / count;
    const float product = dotRow<V, Group>(of.dy + at, of.x + at, width, place.lane);
    const float held = fmaxf(square, of.eps), s = sqrtf(held);
    shares += product / s;
    const float along = square > of.eps ? product / (count * held) : 0.0f;
    if (place.real) combineRow<V, Group>(r / s, of.dy + at, -(r / s) * along, of.x + at, of.out + at, width, place.lane);
  }
  const float factor = r > 0 ? shares / (count * r) : 0.0f;
  if (place.real) combineRow<V, Group>(factor, like, 0.0f, like, of.dlike + place.row * width, width, place.lane);
}

}  // namespace

const char* match_magnitude(const Launch& launch) {
  const Tensor x = launch.inputs[0], like = launch.inputs[1];
  const int64_t width = like.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Tensors<A> of{nullptr, dataOf<A>(x), dataOf<A>(like), dataOf<A>(launch.outputs[0]), nullptr, static_cast<int>(x.shape[1] / width),
                        static_cast<float>(launch.attributes[0])};
    withRowShape<A>(width, [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, x.shape[0], width, matchMagnitudeKernel<S::V, S::group, A>, of);
    });
  });
}

const char* match_magnitude_backward(const Launch& launch) {
  const Tensor x = launch.inputs[1], like = launch.inputs[2];
  const int64_t width = like.shape[1];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Tensors<A> of{dataOf<A>(launch.inputs[0]), dataOf<A>(x), dataOf<A>(like), dataOf<A>(launch.outputs[0]), dataOf<A>(launch.outputs[1]),
                        static_cast<int>(x.shape[1] / width), static_cast<float>(launch.attributes[0])};
    withRowShape<A>(width, [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, x.shape[0], width, matchMagnitudeBackwardKernel<S::V, S::group, A>, of);
    });
  });
}

}  // namespace anneal::cuda
