#include <type_traits>

#include "backward_sweep.cuh"
#include "chunks.h"
#include "forward_sweep.cuh"
#include "inputs.cuh"
#include "one_token.cuh"
#include "window_gradients.cuh"

namespace anneal::cuda {
namespace {

constexpr const char* kTooLarge = "the CUDA kernels of gated_delta take keys of at most 256 elements";

/** Calls body with the number of rows of a state that kernels hold, as a type. */
template <typename Body>
const char* withRows(int keySize, Body body) {
  if (keySize <= 128)
    body(std::integral_constant<int, 128>{});
  else if (keySize <= 256)
    body(std::integral_constant<int, 256>{});
  else
    return kTooLarge;
  return nullptr;
}

template <typename A>
dim3 sweepGrid(const GatedDelta<A>& of, int documents) {
  return dim3(static_cast<unsigned>(documents), static_cast<unsigned>(ceilDivide(of.valueSize, kColumns)), static_cast<unsigned>(of.heads));
}

template <typename A>
const char* sweepForward(cudaStream_t stream, const GatedDelta<A>& of, const Packed& packed, const ForwardResults<A>& results) {
  return withRows(of.keySize, [&](auto rows) {
    constexpr int K = decltype(rows)::value;
    forwardSweepKernel<K, A><<<sweepGrid(of, packed.documents), kSweepThreads, 0, stream>>>(of, packed, results);
  });
}

/** Workspace: what the forward sweep and the backward sweep find, [tokens, values] and states each; dnormed; parts. */
template <typename A>
const char* backward(const Launch& launch, const GatedDelta<A>& of, const Packed& packed) {
  const cudaStream_t stream = contextOf(launch).stream;
  const int64_t windows = ceilDivide(of.tokens, kWindow);
  const int rows = static_cast<int>(ceilDivide(of.keySize, 4)) * 4;
  const int64_t kept = (windows - 1) * of.heads * of.valueSize * rows;
  char* rest = launch.workspace;
  float *differences = take<float>(rest, of.tokens * of.values()), *dchanges = take<float>(rest, of.tokens * of.values());
  const KeptStates states{take<float>(rest, kept), of.heads, of.valueSize, rows}, dstates{take<float>(rest, kept), of.heads, of.valueSize, rows};
  float* dnormed = take<float>(rest, of.tokens * 2 * of.keyHeads * of.keySize);
  double* parts = take<double>(rest, windows * of.heads * 2);
  const A* dout = dataOf<A>(launch.inputs[0]);
  A* dqkv = dataOf<A>(launch.outputs[0]);
  if (const char* problem = sweepForward<A>(stream, of, packed, {nullptr, differences, nullptr, {}, states})) return problem;
  withRows(of.keySize, [&](auto size) {
    constexpr int K = decltype(size)::value;
    const BackwardResults<A> results{dqkv, dchanges, dstates};
    backwardSweepKernel<K, A><<<sweepGrid(of, packed.documents), kSweepThreads, 0, stream>>>(of, packed, dout, results);
  });
  const WindowInputs<A> found{dout, differences, dchanges, states, dstates};
  const WindowResults<A> to{dqkv, dataOf<A>(launch.outputs[1]), dataOf<A>(launch.outputs[2]), dnormed, parts};
  const dim3 grid(static_cast<unsigned>(windows), static_cast<unsigned>(of.keyHeads));
  windowGradientsKernel<A><<<grid, kWindowThreads, 0, stream>>>(of, packed, found, to);
  const Tensor decay = launch.outputs[3], shift = launch.outputs[4];
  addWindowParts<2>(stream, parts, windows, of.heads, {decay.f32(), shift.f32()});
  return nullptr;
}

}  // namespace

const char* gated_delta(const Launch& launch) {
  if (launch.inputs[0].shape[0] == 0) return nullptr;
  if (servesChunks(launch.inputs, launch.attributes)) return chunksForward(launch);
  return withActivations(launch.inputs[0], [&](auto zero) {
    using A = decltype(zero);
    const GatedDelta<A> of = deltaOf<A>(launch.inputs, launch.attributes);
    const ForwardResults<A> results{dataOf<A>(launch.outputs[0]), nullptr, nullptr, {}, {}};
    return sweepForward<A>(contextOf(launch).stream, of, packedOf(launch.inputs[5], of.tokens), results);
  });
}

const char* gated_delta_backward(const Launch& launch) {
  if (launch.inputs[1].shape[0] == 0) return nullptr;
  if (servesChunks(launch.inputs + 1, launch.attributes)) return chunksBackward(launch);
  return withActivations(launch.inputs[1], [&](auto zero) {
    using A = decltype(zero);
    const GatedDelta<A> of = deltaOf<A>(launch.inputs + 1, launch.attributes);
    return backward<A>(launch, of, packedOf(launch.inputs[6], of.tokens));
  });
}

const char* gated_delta_cached(const Launch& launch) {
  if (launch.inputs[0].shape[0] == 0) return nullptr;
  return withActivations(launch.inputs[0], [&](auto zero) {
    using A = decltype(zero);
    const GatedDelta<A> of = deltaOf<A>(launch.inputs, launch.attributes);
    const Tensor states = launch.outputs[1];
    const CarriedStates carried = carriedStates(launch, launch.inputs[6], launch.inputs[7], states, int64_t{of.heads} * of.keySize);
    const cudaStream_t stream = contextOf(launch).stream;
    A* out = dataOf<A>(launch.outputs[0]);
    const char* problem = withRows(of.keySize, [&](auto rows) {
      constexpr int K = decltype(rows)::value;
      const auto goOn = vectorRows(of.valueSize, 4) ? goOnByOne<K, 4, A> : goOnByOne<K, 1, A>;
      goOn(stream, of, out, states.f32(), carried);
    });
    if (problem || of.tokens == carried.sequences) return problem;
    return sweepForward<A>(stream, of, {nullptr, carried.sequences, of.tokens}, {out, nullptr, states.f32(), carried, {}});
  });
}

}  // namespace anneal::cuda
