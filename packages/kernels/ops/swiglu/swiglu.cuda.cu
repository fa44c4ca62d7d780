#include <type_traits>

#include "cuda/elements.cuh"
#include "cuda/operand.cuh"
#include "low_rank_swiglu.cuh"
#include "swiglu_values.cuh"

namespace anneal::cuda {
namespace {

template <typename A, bool kGelu>
struct Swiglu {
  const A *gate, *up;
  A* y;

  template <int V>
  __device__ void run(int64_t i) const {
    float g[V], u[V];
    load<V>(gate + i, g);
    load<V>(up + i, u);
    swigluOf<kGelu>(g, u);
    store<V>(y + i, u);
  }
};

/** Of rows [gate up]. */
template <typename A, bool kGelu>
struct SwigluMerged {
  const A* x;
  A* y;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const A* gate = x + 2 * row * width;
    Swiglu<A, kGelu>{gate, gate + width, y + row * width}.template run<V>(column);
  }
};

template <typename A, bool kGelu>
struct SwigluBackward {
  const A *dy, *gate, *up;
  A *dgate, *dup;

  template <int V>
  __device__ void run(int64_t i) const {
    float d[V], g[V], u[V];
    load<V>(dy + i, d);
    load<V>(gate + i, g);
    load<V>(up + i, u);
    swigluSlopes<kGelu>(d, g, u);
    store<V>(dgate + i, g);
    store<V>(dup + i, u);
  }
};

template <typename A, bool kGelu>
struct SwigluMergedBackward {
  const A *dy, *x;
  A* dx;
  int64_t width;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t gate = 2 * row * width, up = gate + width;
    SwigluBackward<A, kGelu>{dy + row * width, x + gate, x + up, dx + gate, dx + up}.template run<V>(column);
  }
};

/** What is added to gate and up: x is input `x`, its companions follow. Factors are in the type computed in. */
struct Added {
  Tensor x, low;
  Matrix factors[2];
  float alpha;
};

Added addedTo(const Launch& launch, int x, char*& workspace) {
  Added added{launch.inputs[x], launch.inputs[x + 1], {}, static_cast<float>(launch.attributes[0])};
  for (int half = 0; half < 2; half++) {
    const Tensor own = launch.inputs[x + 2 + half], copy = launch.inputs[x + 4 + half];
    added.factors[half] = operandOf(launch, !copy.absent() && copy.type == added.x.type ? copy : own, true, added.x.type, workspace);
  }
  return added;
}

bool isServed(const Added& added) {
  const int64_t tokens = added.x.shape[0], columns = added.x.shape[1] / 2;
  return added.x.type == DType::bf16 && tokens > 0 && added.factors[0].stride % kSlice == 0 && columns % kSwigluColumns == 0;
}

LowRankSwiglu problemOf(const Added& added, const Tensor& dy, const Tensor& out) {
  return {dataOf<bf16>(added.x),
          dataOf<bf16>(added.low),
          {static_cast<const bf16*>(added.factors[0].data), static_cast<const bf16*>(added.factors[1].data)},
          dataOf<bf16>(dy),
          dataOf<bf16>(out),
          static_cast<int>(added.x.shape[0]),
          static_cast<int>(added.x.shape[1] / 2),
          static_cast<int>(added.factors[0].stride),
          added.alpha};
}

/** x becomes a sum in the workspace. Returns what is wrong. */
const char* addProducts(const Launch& launch, Added& added, char* workspace) {
  const Tensor x = added.x, low = added.low;
  const int64_t columns = x.shape[1] / 2, size = static_cast<int64_t>(elementBytes(x.type));
  for (int half = 0; half < 2; half++) {
    const int64_t rank = added.factors[half].stride, begin = half * columns * size;
    const Matrix a{low.data + half * rank * size, low.type, low.shape[1], false};
    if (const char* problem = contextOf(launch).blas->multiply(
            contextOf(launch).stream, {x.shape[0], columns, rank, added.alpha, a, added.factors[half], x.data + begin, workspace + begin, x.type, x.shape[1]}))
      return problem;
  }
  added.x.data = workspace;
  return nullptr;
}

/** Calls body(A{}, isGelu) with the type and the activation known to the compiler. */
template <typename Body>
const char* withActivation(DType type, bool gelu, Body&& body) {
  return withType(type, [&](auto zero) {
    if (gelu) body(zero, std::true_type{});
    else body(zero, std::false_type{});
  });
}

template <bool kBackward>
void lowRank(const Launch& launch, const LowRankSwiglu& problem) {
  const cudaStream_t stream = contextOf(launch).stream;
  if (launch.attributes[2] != 0) lowRankSwiglu<kBackward, true>(stream, problem);
  else lowRankSwiglu<kBackward, false>(stream, problem);
}

}  // namespace

const char* swiglu(const Launch& launch) {
  const Tensor gate = launch.inputs[0], up = launch.inputs[1], y = launch.outputs[0];
  return withActivation(y.type, launch.attributes[0] != 0, [&](auto zero, auto gelu) {
    using A = decltype(zero);
    constexpr bool kGelu = decltype(gelu)::value;
    overElements<A>(launch, y.elements(), Swiglu<A, kGelu>{dataOf<A>(gate), dataOf<A>(up), dataOf<A>(y)});
  });
}

const char* swiglu_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], gate = launch.inputs[1], up = launch.inputs[2];
  const Tensor dgate = launch.outputs[0], dup = launch.outputs[1];
  return withActivation(dy.type, launch.attributes[0] != 0, [&](auto zero, auto gelu) {
    using A = decltype(zero);
    constexpr bool kGelu = decltype(gelu)::value;
    overElements<A>(launch, dy.elements(),
                    SwigluBackward<A, kGelu>{dataOf<A>(dy), dataOf<A>(gate), dataOf<A>(up), dataOf<A>(dgate), dataOf<A>(dup)});
  });
}

// Workspace of the merged ones with products: the factors whose type is not the one computed in, as of linear; then, where our own kernel
// does not serve, x with the products added.

const char* swiglu_merged(const Launch& launch) {
  const Tensor y = launch.outputs[0];
  Tensor x = launch.inputs[0];
  if (!launch.inputs[1].absent()) {
    char* workspace = launch.workspace;
    Added added = addedTo(launch, 0, workspace);
    if (isServed(added)) {
      lowRank<false>(launch, problemOf(added, {}, y));
      return nullptr;
    }
    if (const char* problem = addProducts(launch, added, workspace)) return problem;
    x = added.x;
  }
  return withActivation(y.type, launch.attributes[2] != 0, [&](auto zero, auto gelu) {
    using A = decltype(zero);
    constexpr bool kGelu = decltype(gelu)::value;
    overRows<A>(launch, y.shape[0], y.shape[1], SwigluMerged<A, kGelu>{dataOf<A>(x), dataOf<A>(y), y.shape[1]});
  });
}

const char* swiglu_merged_backward(const Launch& launch) {
  const Tensor dy = launch.inputs[0], dx = launch.outputs[0];
  Tensor x = launch.inputs[1];
  if (!launch.inputs[2].absent()) {
    char* workspace = launch.workspace;
    Added added = addedTo(launch, 1, workspace);
    if (isServed(added)) {
      lowRank<true>(launch, problemOf(added, dy, dx));
      return nullptr;
    }
    if (const char* problem = addProducts(launch, added, workspace)) return problem;
    x = added.x;
  }
  return withActivation(dy.type, launch.attributes[2] != 0, [&](auto zero, auto gelu) {
    using A = decltype(zero);
    constexpr bool kGelu = decltype(gelu)::value;
    overRows<A>(launch, dy.shape[0], dy.shape[1], SwigluMergedBackward<A, kGelu>{dataOf<A>(dy), dataOf<A>(x), dataOf<A>(dx), dy.shape[1]});
  });
}

}  // namespace anneal::cuda
