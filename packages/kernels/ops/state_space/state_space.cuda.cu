#include "backward.cuh"
#include "few_tokens.cuh"

namespace anneal::cuda {

const char* state_space(const Launch& launch) {
  if (launch.inputs[0].shape[0] == 0) return nullptr;
  return withActivations(launch.inputs[0], [&](auto zero) -> const char* {
    using A = decltype(zero);
    const StateSpace<A> of = stateSpaceOf<A>(launch.inputs, launch.attributes);
    return runForward<A>(launch, of, packedOf(launch.inputs[5], of.tokens), nullptr, dataOf<A>(launch.outputs[0]));
  });
}

const char* state_space_backward(const Launch& launch) {
  if (launch.inputs[1].shape[0] == 0) return nullptr;
  return withActivations(launch.inputs[1], [&](auto zero) -> const char* {
    using A = decltype(zero);
    const StateSpace<A> of = stateSpaceOf<A>(launch.inputs + 1, launch.attributes);
    return runBackward<A>(launch, of, packedOf(launch.inputs[6], of.tokens));
  });
}

const char* state_space_cached(const Launch& launch) {
  if (launch.inputs[0].shape[0] == 0) return nullptr;
  return withActivations(launch.inputs[0], [&](auto zero) -> const char* {
    using A = decltype(zero);
    StateSpace<A> of = stateSpaceOf<A>(launch.inputs, launch.attributes);
    const Tensor states = launch.outputs[1];
    of.carried = carriedStates(launch, launch.inputs[6], launch.inputs[7], states, int64_t{of.heads} * of.stateSize);
    A* y = dataOf<A>(launch.outputs[0]);
    if (of.tokens > kFewTokens * of.carried.sequences) return runForward<A>(launch, of, {nullptr, 1, of.tokens}, states.f32(), y);
    const dim3 grid(static_cast<unsigned>(ceilDivide(of.headSize, kStateColumns)), static_cast<unsigned>(of.heads),
                    static_cast<unsigned>(of.carried.sequences));
    fewTokensKernel<A><<<grid, kWindowThreads, 0, contextOf(launch).stream>>>(of, states.f32(), y);
    return nullptr;
  });
}

}  // namespace anneal::cuda
