#include "cuda/row_shape.cuh"

namespace anneal::cuda {
namespace {

constexpr int kMostStreams = 4;

/** Streams of tokens: the first of each apart, the others beside each other. */
template <typename A>
struct Streams {
  A *first, *others;
  int count;
  int64_t width;

  __device__ A* at(int64_t token, int stream) const {
    return stream == 0 ? first + token * width : others + (token * (count - 1) + stream - 1) * width;
  }

  /** All streams of a token at one column; zeros where there are no more. */
  template <int V>
  __device__ void read(int64_t token, int column, float (&values)[kMostStreams][V]) const {
#pragma unroll
    for (int i = 0; i < kMostStreams; i++) {
      if (i < count) load<V>(at(token, i) + column, values[i]);
    }
  }
};

/** A weight, of an input that its output begins with 1 more. */
template <typename A>
__device__ float shareOf(const A* weights, int at, bool begins) {
  return toFloat(weights[at]) + (begins ? 1.0f : 0.0f);
}

template <typename A>
struct MixStreams {
  Streams<A> x, y;
  const A* weights;

  template <int V>
  __device__ void run(int64_t token, int column) const {
    float values[kMostStreams][V] = {};
    x.template read<V>(token, column, values);
    const A* own = weights + token * y.count * x.count;
#pragma unroll 1
    for (int j = 0; j < y.count; j++) {
      float sums[V] = {};
      const int begin = j % x.count;
#pragma unroll
      for (int i = 0; i < kMostStreams; i++) {
        if (i >= x.count) continue;
        const float share = shareOf(own, j * x.count + i, begin == i);
#pragma unroll
        for (int lane = 0; lane < V; lane++) sums[lane] = fmaf(share, values[i][lane], sums[lane]);
      }
      store<V>(y.at(token, j) + column, sums);
    }
  }
};

template <typename A>
struct Backward {
  Streams<A> dy, x, dx;
  const A* weights;
  A* dweights;
};

template <int V, int Group, typename A>
__global__ void __launch_bounds__(kRowThreads, 1) mixStreamsBackwardKernel(int64_t tokens, int width, Backward<A> of) {
  const Place place = placeOf<Group>(tokens);
  const int inputs = of.x.count, outputs = of.dy.count;
  const A* weights = of.weights + place.row * outputs * inputs;
  float products[kMostStreams][kMostStreams] = {};
  forRow<V, Group, 0>(width, place.lane, [&](int column, int) {
    float slopes[kMostStreams][V] = {}, values[kMostStreams][V] = {};
    of.dy.template read<V>(place.row, column, slopes);
    of.x.template read<V>(place.row, column, values);
#pragma unroll
    for (int i = 0; i < kMostStreams; i++) {
      if (i >= inputs) continue;
      float sums[V] = {};
#pragma unroll
      for (int j = 0; j < kMostStreams; j++) {
        if (j >= outputs) continue;
        const float share = shareOf(weights, j * inputs + i, j % inputs == i);
#pragma unroll
        for (int lane = 0; lane < V; lane++) {
          sums[lane] = fmaf(share, slopes[j][lane], sums[lane]);
          products[j][i] = fmaf(slopes[j][lane], values[i][lane], products[j][i]);
        }
      }
      if (place.real) store<V>(of.dx.at(place.row, i) + column, sums);
    }
  });
#pragma unroll
  for (int j = 0; j < kMostStreams; j++) {
#pragma unroll
    for (int i = 0; i < kMostStreams; i++) {
      if (i >= inputs || j >= outputs) continue;
      const float total = sumGroup<Group>(products[j][i]);
      if (place.real && place.lane == 0) of.dweights[(place.row * outputs + j) * inputs + i] = fromFloat<A>(total);
    }
  }
}

template <typename A>
Streams<A> streamsOf(const Tensor& first, const Tensor& others, int count) {
  return {dataOf<A>(first), dataOf<A>(others), count, first.shape[1]};
}

}  // namespace

const char* mix_streams(const Launch& launch) {
  const Tensor first = launch.inputs[0], weights = launch.inputs[2];
  const int outputs = static_cast<int>(launch.attributes[0]), inputs = static_cast<int>(weights.shape[1]) / outputs;
  return withType(first.type, [&](auto zero) {
    using A = decltype(zero);
    const MixStreams<A> body{streamsOf<A>(first, launch.inputs[1], inputs), streamsOf<A>(launch.outputs[0], launch.outputs[1], outputs),
                             dataOf<A>(weights)};
    overRows<A>(launch, first.shape[0], first.shape[1], body);
  });
}

const char* mix_streams_backward(const Launch& launch) {
  const Tensor dyFirst = launch.inputs[0], first = launch.inputs[2], weights = launch.inputs[4];
  const int outputs = static_cast<int>(launch.attributes[0]), inputs = static_cast<int>(weights.shape[1]) / outputs;
  return withType(first.type, [&](auto zero) {
    using A = decltype(zero);
    const Backward<A> of{streamsOf<A>(dyFirst, launch.inputs[1], outputs), streamsOf<A>(first, launch.inputs[3], inputs),
                         streamsOf<A>(launch.outputs[0], launch.outputs[1], inputs), dataOf<A>(weights), dataOf<A>(launch.outputs[2])};
    withRowShape<A>(first.shape[1], [&](auto shape) {
      using S = decltype(shape);
      launchRows<S::group>(launch, first.shape[0], first.shape[1], mixStreamsBackwardKernel<S::V, S::group, A>, of);
    });
  });
}

}  // namespace anneal::cuda
