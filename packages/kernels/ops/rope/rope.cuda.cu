#include "cuda/elements.cuh"

namespace anneal::cuda {
namespace {

/** As ropeTableOp says; `longer` and cuSeqlens may be null. */
struct Table {
  const int32_t *positions, *cuSeqlens;
  int64_t tokens, documents;
  const float *inverse, *longer;
  float scale, original, beta;
  double factor;

  __device__ int64_t lengthOf(int64_t token) const {
    if (!cuSeqlens) return int64_t{positions[tokens - 1]} + 1;
    int64_t document = 0;
    while (document + 1 < documents && cuSeqlens[document + 1] <= token) document++;
    return int64_t{cuSeqlens[document + 1]} - cuSeqlens[document];
  }
  __device__ float frequencyOf(int64_t token, int64_t pair, int64_t pairs) const {
    if (!longer && factor == 0) return inverse[pair];
    const int64_t length = lengthOf(token);
    if (static_cast<float>(length) <= original) return inverse[pair];
    if (longer) return longer[pair];
    const double growth = factor * static_cast<double>(length) / static_cast<double>(original) - (factor - 1);
    return static_cast<float>(inverse[pair] * pow(growth, -static_cast<double>(pair) / static_cast<double>(pairs - 1)));
  }
  __device__ float scaleOf(int64_t token) const {
    if (beta == 0) return scale;
    return scale * (1.0f + beta * logf(1.0f + floorf(static_cast<float>(positions[token]) / original)));
  }
};

/** In float64, so that the float32 results agree with the CPU's, whose C library rounds correctly in nearly all cases. */
__global__ void __launch_bounds__(kElementThreads) ropeTableKernel(Table table, int64_t count, int64_t pairs, float* cosines, float* sines) {
  const int64_t i = int64_t{blockIdx.x} * kElementThreads + threadIdx.x;
  if (i >= count) return;
  const int64_t token = i / pairs;
  const float angle = __fmul_rn(static_cast<float>(table.positions[token]), table.frequencyOf(token, i % pairs, pairs));
  const float scale = table.scaleOf(token);
  double sine, cosine;
  sincos(static_cast<double>(angle), &sine, &cosine);
  cosines[i] = static_cast<float>(cosine) * scale;
  sines[i] = static_cast<float>(sine) * scale;
}

/** As ropeOp says, in vectors where `inVectors`. A column is a pair that is turned or two values that stay, of each head the pairs first. */
template <typename A>
struct Rope {
  const A* x;
  const float *cosines, *sines;
  A* y;
  int64_t width;
  int pairs, size, first;
  bool interleaved;
  float direction;

  /** Whether V columns are in one head, all of them turned or none, and the values that they read lie at multiples of V. */
  bool inVectors(int V) const { return vectorRows(pairs, V) && vectorRows(size, 2 * V) && vectorRows(first, 2 * V); }

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int half = size / 2, head = column / half, pair = column - head * half;
    const int64_t start = row * width + int64_t{head} * size;
    if (pair >= pairs)
      keep<V>(start, 2 * (pair - pairs));
    else
      turn<V>(start + first, row * pairs + pair, pair);
  }
  template <int V>
  __device__ void turn(int64_t start, int64_t angle, int pair) const {
    const int64_t low = start + (interleaved ? 2 * pair : pair), high = low + (interleaved ? V : pairs);
    float values[2][V], c[V], s[V];
    load<V>(x + low, values[0]);
    load<V>(x + high, values[1]);
    load<V>(cosines + angle, c);
    load<V>(sines + angle, s);
    if (interleaved)
      turnPairs<V, 2, 1>(values, c, s);
    else
      turnPairs<V, 1, V>(values, c, s);
    store<V>(y + low, values[0]);
    store<V>(y + high, values[1]);
  }
  /** V pairs that begin `step` values from each other, each of two values that lie `apart`. */
  template <int V, int step, int apart>
  __device__ void turnPairs(float (&values)[2][V], const float (&c)[V], const float (&s)[V]) const {
#pragma unroll
    for (int j = 0; j < V; j++) {
      const int i = j * step, partner = i + apart;
      float &a = values[i / V][i % V], &b = values[partner / V][partner % V];
      const float sine = s[j] * direction, first = a;
      a = first * c[j] - b * sine;
      b = b * c[j] + first * sine;
    }
  }
  /** 2V of the values that stay, from the i-th of a head on. */
  template <int V>
  __device__ void keep(int64_t start, int i) const {
    if (x == y) return;
    const int64_t at = start + (i < first ? i : i + 2 * pairs);
    float values[2][V];
    load<V>(x + at, values[0]);
    load<V>(x + at + V, values[1]);
    store<V>(y + at, values[0]);
    store<V>(y + at + V, values[1]);
  }
};

}  // namespace

const char* rope_table(const Launch& launch) {
  const Tensor positions = launch.inputs[0], inverse = launch.inputs[1];
  const Tensor cuSeqlens = launch.inputs[3];
  const int64_t pairs = inverse.shape[0], count = positions.shape[0] * pairs;
  const double* a = launch.attributes;
  if (count == 0) return nullptr;
  const Table table{positions.i32(),         cuSeqlens.i32(),          positions.shape[0], cuSeqlens.absent() ? 0 : cuSeqlens.shape[0] - 1,
                    inverse.f32(),           launch.inputs[2].f32(),   static_cast<float>(a[0]), static_cast<float>(a[1]),
                    static_cast<float>(a[2]),    a[3]};
  ropeTableKernel<<<static_cast<unsigned>(ceilDivide(count, kElementThreads)), kElementThreads, 0, contextOf(launch).stream>>>(
      table, count, pairs, launch.outputs[0].f32(), launch.outputs[1].f32());
  return nullptr;
}

const char* rope(const Launch& launch) {
  const Tensor x = launch.inputs[0], y = launch.outputs[0];
  const int64_t pairs = launch.inputs[1].shape[1], size = static_cast<int64_t>(launch.attributes[1]);
  return withType(y.type, [&](auto zero) {
    using A = decltype(zero);
    const Rope<A> body{dataOf<A>(x), launch.inputs[1].f32(), launch.inputs[2].f32(), dataOf<A>(y), x.shape[1], static_cast<int>(pairs),
                       static_cast<int>(size), static_cast<int>(launch.attributes[3]), launch.attributes[2] != 0,
                       static_cast<float>(launch.attributes[0])};
    overRows<A>(launch, x.shape[0], x.shape[1] / 2, body, body.inVectors(kLanes<A>));
  });
}

}  // namespace anneal::cuda
