#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** In float64, so that the float32 results agree with the CPU's, whose C library rounds correctly in nearly all cases. */
__global__ void __launch_bounds__(kElementThreads)
    ropeTableKernel(const int32_t* positions, const float* inverse, int64_t count, int64_t pairs, float scale, float* cosines, float* sines) {
  const int64_t i = int64_t{blockIdx.x} * kElementThreads + threadIdx.x;
  if (i >= count) return;
  const float angle = __fmul_rn(static_cast<float>(positions[i / pairs]), inverse[i % pairs]);
  double sine, cosine;
  sincos(static_cast<double>(angle), &sine, &cosine);
  cosines[i] = static_cast<float>(cosine) * scale;
  sines[i] = static_cast<float>(sine) * scale;
}

/** Over half rows: column counts the pairs of all heads of a token. */
template <typename A>
struct Rope {
  const A* x;
  const float *cosines, *sines;
  A* y;
  int64_t width;
  int pairs;
  float direction;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int head = column / pairs, pair = column - head * pairs;
    const int64_t low = row * width + 2 * head * pairs + pair, high = low + pairs;
    float a[V], b[V], c[V], s[V];
    load<V>(x + low, a);
    load<V>(x + high, b);
    load<V>(cosines + row * pairs + pair, c);
    load<V>(sines + row * pairs + pair, s);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float turned = s[j] * direction, first = a[j];
      a[j] = first * c[j] - b[j] * turned;
      b[j] = b[j] * c[j] + first * turned;
    }
    store<V>(y + low, a);
    store<V>(y + high, b);
  }
};

}  // namespace

const char* rope_table(const Launch& launch) {
  const Tensor positions = launch.inputs[0], inverse = launch.inputs[1];
  const int64_t pairs = inverse.shape[0], count = positions.shape[0] * pairs;
  if (count == 0) return nullptr;
  ropeTableKernel<<<static_cast<unsigned>(ceilDivide(count, kElementThreads)), kElementThreads, 0, contextOf(launch).stream>>>(
      positions.i32(), inverse.f32(), count, pairs, static_cast<float>(launch.attributes[0]), launch.outputs[0].f32(), launch.outputs[1].f32());
  return nullptr;
}

const char* rope(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const int64_t pairs = launch.inputs[1].shape[1];
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    const Rope<A> body{dataOf<A>(x), launch.inputs[1].f32(), launch.inputs[2].f32(), dataOf<A>(y), x.shape[1], static_cast<int>(pairs),
                       static_cast<float>(launch.attributes[0])};
    overRows<A>(launch, x.shape[0], x.shape[1] / 2, body, vectorRows(pairs, kLanes<A>));
  });
}

}  // namespace anneal::cuda
