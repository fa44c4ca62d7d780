#pragma once

#include "cuda/operand.cuh"
#include "row_softmax.cuh"

namespace anneal::cuda {

/** packed[i] = x[rows[i]] in the type computed in, zeros for a row that only fills up; or, to scatter, x[rows[i]] = packed[i]. */
template <bool kScatter, typename A, typename C>
struct MoveRows {
  A* x;
  C* packed;
  const int32_t* rows;
  int64_t T, width;

  template <int V>
  __device__ void run(int64_t i, int column) const {
    const int32_t row = rows[i];
    const bool real = row >= 0 && row < T;
    C* at = packed + i * width + column;
    float values[V] = {};
    if constexpr (kScatter) {
      if (!real) return;
      load<V>(at, values);
      store<V>(x + row * width + column, values);
    } else {
      if (real) load<V>(x + row * width + column, values);
      store<V>(at, values);
    }
  }
};

/** The head over the supervised rows: the first four inputs and all attributes of each op that has them. */
struct HeadCall {
  const Launch& launch;
  RowResults results;
  RowScale scale;          // not given: no gradients
  Tensor dx;
  const Tensor* gradient;  // null: the weight is not trained

  Tensor x() const { return launch.inputs[0]; }
  Tensor weight() const { return launch.inputs[1]; }
  const int32_t* labels() const { return launch.inputs[2].i32(); }
  Tensor rows() const { return launch.inputs[3]; }
};

/**
 * Workspace, with R = min(chunkRows, N) rows, pitch = roundUp(V, 64), a = bytes of an activation, c = bytes of the type computed in;
 * every part rounded up to 256:
 *   logits R · pitch · a | x R · D · c | training: dx R · D · a
 *   where the weight has another type than the one computed in: V · D · c
 *   training float32 activations in bf16: R · pitch · c
 */
template <typename A, typename C>
const char* headOf(const HeadCall& call) {
  const Launch& launch = call.launch;
  CudaContext& context = contextOf(launch);
  constexpr DType type = DTypeOf<A>::type, compute = DTypeOf<C>::type;
  const int64_t T = call.x().shape[0], D = call.x().shape[1], V = call.weight().shape[0], N = call.rows().shape[0];
  const int64_t most = static_cast<int64_t>(launch.attributes[1]), R = most < N ? most : N;
  const int64_t pitch = ceilDivide(V, 64) * 64;
  const float cap = static_cast<float>(launch.attributes[2]);

  if (call.scale.isGiven()) cudaMemsetAsync(call.dx.data, 0, T * D * sizeof(A), context.stream);
  if (N == 0) return nullptr;
  char* workspace = launch.workspace;
  A* logits = take<A>(workspace, R * pitch);
  C* packed = take<C>(workspace, R * D);
  A* packedGradient = call.scale.isGiven() ? take<A>(workspace, R * D) : nullptr;
  const void* weight = valuesAs(launch, call.weight(), compute, workspace);

  const auto multiply = [&](int64_t rows, int64_t columns, int64_t inner, Matrix a, Matrix b, const void* c, void* d, DType of, int64_t stride) {
    return context.blas->multiply(context.stream, {rows, columns, inner, 1.0f, a, b, c, d, of, stride});
  };
  for (int64_t begin = 0; begin < N; begin += R) {
    const int64_t count = N - begin < R ? N - begin : R;
    const int32_t* rows = call.rows().i32() + begin;
    overRows<A>(launch, count, D, MoveRows<false, A, C>{dataOf<A>(call.x()), packed, rows, T, D});
    if (const char* problem = multiply(count, V, D, {packed, compute, D, false}, {weight, compute, D, true}, nullptr, logits, type, pitch)) return problem;
    const Logits<A> chunk{logits, pitch, static_cast<int>(V)};
    const Supervision supervision{rows, call.labels(), T, context.fault};
    const RowScale scale = call.scale.from(begin);
    const RowResults results = call.results.from(begin);
    if (cap == 0) rowSoftmax(launch, count, chunk, supervision, SoftCap<false>{}, scale, results);
    else rowSoftmax(launch, count, chunk, supervision, SoftCap<true>{cap}, scale, results);
    if (!call.scale.isGiven()) continue;
    char* rest = workspace;
    const void* dlogits = valuesAs(launch, {reinterpret_cast<char*>(logits), type, 2, {count, pitch}}, compute, rest);
    if (const char* problem = multiply(count, D, V, {dlogits, compute, pitch, false}, {weight, compute, D, false}, nullptr, packedGradient, type, D))
      return problem;
    overRows<A>(launch, count, D, MoveRows<true, A, A>{dataOf<A>(call.dx), packedGradient, rows, T, D});
    if (!call.gradient) continue;
    float* gradient = call.gradient->f32();
    if (const char* problem = multiply(V, D, count, {dlogits, compute, pitch, true}, {packed, compute, D, false}, gradient, gradient, DType::f32, D))
      return problem;
  }
  return nullptr;
}

inline const char* overSupervisedRows(const HeadCall& call) {
  const bool bf16 = computeType(call.x(), call.launch.attributes[0]) == DType::bf16;
  if (call.x().type == DType::bf16) return headOf<Bf16, Bf16>(call);
  if (call.x().type != DType::f32) return kUnsupportedType;
  return bf16 ? headOf<float, Bf16>(call) : headOf<float, float>(call);
}

}  // namespace anneal::cuda
