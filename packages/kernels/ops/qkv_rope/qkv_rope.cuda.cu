#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

/** Heads of 2 · pairs values: of a token's [q k v], those of q first. */
struct Heads {
  int queries, keys, pairs;

  __host__ __device__ int all() const { return queries + 2 * keys; }
  __device__ bool isValue(int head) const { return head >= queries + keys; }
  __device__ bool isQuery(int head) const { return head < queries; }
};

/** The part of q, k or v that is this head of this token. */
template <typename A>
__device__ A* headOf(const Heads& heads, int64_t token, int head, A* q, A* k, A* v) {
  const int64_t size = 2 * heads.pairs;
  if (heads.isQuery(head)) return q + (token * heads.queries + head) * size;
  if (heads.isValue(head)) return v + (token * heads.keys + head - heads.queries - heads.keys) * size;
  return k + (token * heads.keys + head - heads.queries) * size;
}

template <typename A>
struct Forward {
  Heads heads;
  const A* x;
  const float *qNorm, *kNorm, *cosines, *sines;
  A *q, *k, *v;
  float* rstd;
  float eps;
};

template <typename A>
struct Backward {
  Heads heads;
  const A *dq, *dk, *dv;
  const float *cosines, *sines;
  const A* x;
  const float *qNorm, *kNorm, *rstd;
  A* dx;
};

/** A pair of V neighbors: of the first half of a head and of the second. */
template <int V>
struct Pairs {
  float low[V], high[V];

  template <typename A>
  __device__ void read(const A* head, int pairs, int p) {
    load<V>(head + p, low);
    load<V>(head + pairs + p, high);
  }
  template <typename A>
  __device__ void write(A* head, int pairs, int p) const {
    store<V>(head + p, low);
    store<V>(head + pairs + p, high);
  }
  __device__ void multiply(const Pairs& by) {
#pragma unroll
    for (int j = 0; j < V; j++) low[j] *= by.low[j], high[j] *= by.high[j];
  }
  /** By the token's angles; direction -1 turns back. */
  __device__ void turn(const float* cosines, const float* sines, int p, float direction) {
    float c[V], s[V];
    load<V>(cosines + p, c);
    load<V>(sines + p, s);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float turned = s[j] * direction, first = low[j];
      low[j] = first * c[j] - high[j] * turned;
      high[j] = high[j] * c[j] + first * turned;
    }
  }
};

/** Σ a · b over both halves. */
template <int V>
__device__ float product(const Pairs<V>& a, const Pairs<V>& b, float sum) {
#pragma unroll
  for (int j = 0; j < V; j++) sum = fmaf(a.high[j], b.high[j], fmaf(a.low[j], b.low[j], sum));
  return sum;
}

// `Group` neighboring threads have one head of one token; with `Once` each of them has V pairs of it or none, and holds them in registers.

template <int V, int Group, bool Once, typename A>
__global__ void __launch_bounds__(kElementThreads) qkvRopeKernel(int64_t rows, Forward<A> of) {
  const int64_t row = int64_t{blockIdx.x} * (kElementThreads / Group) + threadIdx.x / Group;
  const int lane = static_cast<int>(threadIdx.x) % Group, P = of.heads.pairs;
  const int64_t place = row < rows ? row : rows - 1, token = place / of.heads.all();
  const int head = static_cast<int>(place % of.heads.all());
  const A* from = of.x + place * 2 * P;
  const float* weight = of.heads.isValue(head) ? nullptr : of.heads.isQuery(head) ? of.qNorm : of.kNorm;
  Pairs<V> x{};
  float square = 0;
#pragma unroll 1
  for (int p = lane * V; p < P && (Once || weight); p += Group * V) {
    x.read(from, P, p);
    square = product(x, x, square);
  }
  const float r = 1.0f / sqrtf(joinLanes<Group>(square, Sum{}) / static_cast<float>(2 * P) + of.eps);
  if (row >= rows) return;
  if (weight && lane == 0) of.rstd[token * (of.heads.queries + of.heads.keys) + head] = r;
  A* to = headOf(of.heads, token, head, of.q, of.k, of.v);
#pragma unroll 1
  for (int p = lane * V; p < P; p += Group * V) {
    if constexpr (!Once) x.read(from, P, p);
    if (weight) {
      Pairs<V> w;
      w.read(weight, P, p);
#pragma unroll
      for (int j = 0; j < V; j++) w.low[j] *= r, w.high[j] *= r;
      x.multiply(w);
    }
    if (!of.heads.isValue(head)) x.turn(of.cosines + token * P, of.sines + token * P, p, 1);
    x.write(to, P, p);
  }
}

template <int V, int Group, bool Once, typename A>
__global__ void __launch_bounds__(kElementThreads) qkvRopeBackwardKernel(int64_t rows, Backward<A> of) {
  const int64_t row = int64_t{blockIdx.x} * (kElementThreads / Group) + threadIdx.x / Group;
  const int lane = static_cast<int>(threadIdx.x) % Group, P = of.heads.pairs;
  const int64_t place = row < rows ? row : rows - 1, token = place / of.heads.all();
  const int head = static_cast<int>(place % of.heads.all());
  const A* dy = headOf(of.heads, token, head, of.dq, of.dk, of.dv);
  const A* from = of.x + place * 2 * P;
  const float* weight = of.heads.isValue(head) ? nullptr : of.heads.isQuery(head) ? of.qNorm : of.kNorm;
  Pairs<V> g{}, x{};
  const auto read = [&](int p) {
    g.read(dy, P, p);
    if (!of.heads.isValue(head)) g.turn(of.cosines + token * P, of.sines + token * P, p, -1);
    if (!weight) return;
    Pairs<V> w;
    w.read(weight, P, p);
    g.multiply(w);
    x.read(from, P, p);
  };
  float sum = 0;
#pragma unroll 1
  for (int p = lane * V; p < P && (Once || weight); p += Group * V) {
    read(p);
    sum = product(g, x, sum);
  }
  sum = joinLanes<Group>(sum, Sum{});
  if (row >= rows) return;
  float r = 1, along = 0;
  if (weight) {
    r = of.rstd[token * (of.heads.queries + of.heads.keys) + head];
    along = -r * r * r * sum / static_cast<float>(2 * P);
  }
  A* to = of.dx + place * 2 * P;
#pragma unroll 1
  for (int p = lane * V; p < P; p += Group * V) {
    if constexpr (!Once) read(p);
#pragma unroll
    for (int j = 0; j < V; j++) {
      g.low[j] = fmaf(x.low[j], along, g.low[j] * r);
      g.high[j] = fmaf(x.high[j], along, g.high[j] * r);
    }
    g.write(to, P, p);
  }
}

template <int V_, int group_, bool once_>
struct Split {
  static constexpr int V = V_, group = group_;
  static constexpr bool once = once_;
};

/** Calls body with the Split for heads of 2 · pairs values of type A. */
template <typename A, typename Body>
void withSplit(int64_t pairs, Body&& body) {
  constexpr int V = kLanes<A>;
  const int64_t vectors = pairs / V;
  if (!vectorRows(pairs, V))
    body(Split<1, kWarp, false>{});
  else if (vectors <= 4)
    body(Split<V, 4, true>{});
  else if (vectors <= 8)
    body(Split<V, 8, true>{});
  else if (vectors <= kWarp)
    body(Split<V, kWarp, true>{});
  else
    body(Split<V, kWarp, false>{});
}

Heads headsOf(const Launch& launch, const Tensor& cosines) {
  return {static_cast<int>(launch.attributes[0]), static_cast<int>(launch.attributes[1]), static_cast<int>(cosines.shape[1])};
}

template <int Group, typename Kernel, typename Of>
void launchHeads(const Launch& launch, int64_t tokens, Kernel kernel, const Of& of) {
  const int64_t rows = tokens * of.heads.all();
  if (rows == 0) return;
  const unsigned blocks = static_cast<unsigned>(ceilDivide(rows, kElementThreads / Group));
  kernel<<<blocks, kElementThreads, 0, contextOf(launch).stream>>>(rows, of);
}

}  // namespace

const char* qkv_rope(const Launch& launch) {
  const Tensor x = launch.inputs[0], cosines = launch.inputs[3];
  return withType(x.type, [&](auto zero) {
    using A = decltype(zero);
    const Forward<A> of{headsOf(launch, cosines),
                        dataOf<A>(x),
                        launch.inputs[1].f32(),
                        launch.inputs[2].f32(),
                        cosines.f32(),
                        launch.inputs[4].f32(),
                        dataOf<A>(launch.outputs[0]),
                        dataOf<A>(launch.outputs[1]),
                        dataOf<A>(launch.outputs[2]),
                        launch.outputs[3].f32(),
                        static_cast<float>(launch.attributes[2])};
    withSplit<A>(cosines.shape[1], [&](auto split) {
      using S = decltype(split);
      launchHeads<S::group>(launch, x.shape[0], qkvRopeKernel<S::V, S::group, S::once, A>, of);
    });
  });
}

const char* qkv_rope_backward(const Launch& launch) {
  const Tensor dq = launch.inputs[0], cosines = launch.inputs[3];
  return withType(dq.type, [&](auto zero) {
    using A = decltype(zero);
    const Backward<A> of{headsOf(launch, cosines),
                         dataOf<A>(dq),
                         dataOf<A>(launch.inputs[1]),
                         dataOf<A>(launch.inputs[2]),
                         cosines.f32(),
                         launch.inputs[4].f32(),
                         dataOf<A>(launch.inputs[5]),
                         launch.inputs[6].f32(),
                         launch.inputs[7].f32(),
                         launch.inputs[8].f32(),
                         dataOf<A>(launch.outputs[0])};
    withSplit<A>(cosines.shape[1], [&](auto split) {
      using S = decltype(split);
      launchHeads<S::group>(launch, dq.shape[0], qkvRopeBackwardKernel<S::V, S::group, S::once, A>, of);
    });
  });
}

}  // namespace anneal::cuda
