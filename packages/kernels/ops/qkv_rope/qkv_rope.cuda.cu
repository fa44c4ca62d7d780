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
  float eps, offset;
};

template <typename A>
struct Backward {
  Heads heads;
  const A *dq, *dk, *dv;
  const float *cosines, *sines;
  const A* x;
  const float *qNorm, *kNorm, *rstd;
  A* dx;
  float offset;
};

/** V neighbors of the first half of a head, and their partners of the second. */
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
  /** Times (weight + offset) · scale. */
  __device__ void multiply(const Pairs& weight, float offset, float scale) {
#pragma unroll
    for (int j = 0; j < V; j++) low[j] *= (weight.low[j] + offset) * scale, high[j] *= (weight.high[j] + offset) * scale;
  }
};

/** By what a token's pairs are turned. */
template <int V>
struct Angles {
  float cosines[V], sines[V];

  __device__ void read(const float* c, const float* s, int p) {
    load<V>(c + p, cosines);
    load<V>(s + p, sines);
  }
  /** direction -1 turns back. */
  __device__ void turn(Pairs<V>& x, float direction) const {
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float sine = sines[j] * direction, first = x.low[j];
      x.low[j] = first * cosines[j] - x.high[j] * sine;
      x.high[j] = x.high[j] * cosines[j] + first * sine;
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

/** How heads lie over threads: `group` neighboring threads have one head, with `once` V of its pairs each, or none. */
template <int V_, int group_, bool once_>
struct Split {
  static constexpr int V = V_, group = group_;
  static constexpr bool once = once_;
};

/** The part of a head of a token that a thread has. */
template <typename S>
struct Share {
  uint32_t row, token;  // fewer than 2^32 rows: more would not fit into a GPU's memory
  int head, lane;
  bool real;  // false: beyond the last row; takes part in sums over threads, and stores nothing

  __device__ Share(uint32_t rows, const Heads& heads) {
    const uint32_t own = blockIdx.x * (kElementThreads / S::group) + threadIdx.x / S::group, all = heads.all();
    real = own < rows;
    row = real ? own : rows - 1;
    token = row / all;
    head = static_cast<int>(row - token * all);
    lane = static_cast<int>(threadIdx.x) % S::group;
  }
  template <typename Visit>
  __device__ void each(int pairs, Visit visit) const {
#pragma unroll 1
    for (int p = lane * S::V; p < pairs; p += S::group * S::V) {
      visit(p);
      if constexpr (S::once) break;
    }
  }
};

// All that a thread reads it asks for before the sum over threads: what is asked for after it is waited for once more.

template <typename S, bool Normed, typename A>
__global__ void __launch_bounds__(kElementThreads) qkvRopeKernel(uint32_t rows, Forward<A> of) {
  const Share<S> share(rows, of.heads);
  const int64_t token = share.token;
  const int P = of.heads.pairs;
  const A* from = of.x + int64_t{share.row} * 2 * P;
  const bool isValue = of.heads.isValue(share.head);
  const float* weight = of.heads.isQuery(share.head) ? of.qNorm : of.kNorm;
  Pairs<S::V> x{}, w{};
  Angles<S::V> angles{};
  const auto read = [&](int p) {
    x.read(from, P, p);
    if (isValue) return;
    angles.read(of.cosines + token * P, of.sines + token * P, p);
    if constexpr (Normed) w.read(weight, P, p);
  };
  float r = 1;
  if constexpr (Normed) {
    float square = 0;
    share.each(P, [&](int p) {
      read(p);
      square = product(x, x, square);
    });
    r /= sqrtf(joinLanes<S::group>(square, Sum{}) / static_cast<float>(2 * P) + of.eps);
  }
  if (!share.real) return;
  if (Normed && !isValue && share.lane == 0) of.rstd[token * (of.heads.queries + of.heads.keys) + share.head] = r;
  A* to = headOf(of.heads, token, share.head, of.q, of.k, of.v);
  share.each(P, [&](int p) {
    if constexpr (!(Normed && S::once)) read(p);
    if (!isValue) {
      if constexpr (Normed) x.multiply(w, of.offset, r);
      angles.turn(x, 1);
    }
    x.write(to, P, p);
  });
}

template <typename S, bool Normed, typename A>
__global__ void __launch_bounds__(kElementThreads) qkvRopeBackwardKernel(uint32_t rows, Backward<A> of) {
  const Share<S> share(rows, of.heads);
  const int64_t token = share.token;
  const int P = of.heads.pairs;
  const A* dy = headOf(of.heads, token, share.head, of.dq, of.dk, of.dv);
  const A* from = of.x + int64_t{share.row} * 2 * P;
  const bool isValue = of.heads.isValue(share.head);
  const float* weight = of.heads.isQuery(share.head) ? of.qNorm : of.kNorm;
  const float r = Normed && !isValue ? of.rstd[token * (of.heads.queries + of.heads.keys) + share.head] : 1;
  Pairs<S::V> g{}, x{};
  const auto read = [&](int p) {
    g.read(dy, P, p);
    if (isValue) return;
    Angles<S::V> angles;
    Pairs<S::V> w;
    angles.read(of.cosines + token * P, of.sines + token * P, p);
    if constexpr (Normed) x.read(from, P, p), w.read(weight, P, p);
    angles.turn(g, -1);
    if constexpr (Normed) g.multiply(w, of.offset, 1);
  };
  float along = 0;
  if constexpr (Normed) {
    float sum = 0;
    share.each(P, [&](int p) {
      read(p);
      sum = product(g, x, sum);
    });
    along = -r * r * r * joinLanes<S::group>(sum, Sum{}) / static_cast<float>(2 * P);
  }
  if (!share.real) return;
  A* to = of.dx + int64_t{share.row} * 2 * P;
  share.each(P, [&](int p) {
    if constexpr (!(Normed && S::once)) read(p);
    if (Normed && !isValue) {
#pragma unroll
      for (int j = 0; j < S::V; j++) {
        g.low[j] = fmaf(x.low[j], along, g.low[j] * r);
        g.high[j] = fmaf(x.high[j], along, g.high[j] * r);
      }
    }
    g.write(to, P, p);
  });
}

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
  else if (vectors <= 16)
    body(Split<V, 16, true>{});
  else if (vectors <= kWarp)
    body(Split<V, kWarp, true>{});
  else
    body(Split<V, kWarp, false>{});
}

Heads headsOf(const Launch& launch, const Tensor& cosines) {
  return {static_cast<int>(launch.attributes[0]), static_cast<int>(launch.attributes[1]), static_cast<int>(cosines.shape[1])};
}

template <typename S, typename Kernel, typename Of>
void launchHeads(const Launch& launch, int64_t tokens, Kernel kernel, const Of& of) {
  const int64_t rows = tokens * of.heads.all();
  if (rows == 0) return;
  const unsigned blocks = static_cast<unsigned>(ceilDivide(rows, kElementThreads / S::group));
  kernel<<<blocks, kElementThreads, 0, contextOf(launch).stream>>>(static_cast<uint32_t>(rows), of);
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
                        static_cast<float>(launch.attributes[2]),
                        static_cast<float>(launch.attributes[3])};
    withSplit<A>(cosines.shape[1], [&](auto split) {
      using S = decltype(split);
      launchHeads<S>(launch, x.shape[0], of.qNorm ? qkvRopeKernel<S, true, A> : qkvRopeKernel<S, false, A>, of);
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
                         dataOf<A>(launch.outputs[0]),
                         static_cast<float>(launch.attributes[2])};
    withSplit<A>(cosines.shape[1], [&](auto split) {
      using S = decltype(split);
      launchHeads<S>(launch, dq.shape[0], of.qNorm ? qkvRopeBackwardKernel<S, true, A> : qkvRopeBackwardKernel<S, false, A>, of);
    });
  });
}

}  // namespace anneal::cuda
