#include "backward.cuh"
#include "few_tokens.cuh"

namespace anneal::cuda {

const char* state_space(const Launch& launch) {
  if (launch.inputs[0].shape[0] == 0) return nullptr;
  return withActivations(launch.inputs[0], [&](auto zero) -> const char* {
    using A = decltype(zero);
    const StateSpace<A> of = stateSpaceOf<A>(launch.inputs, launch.attributes);
    return runForward<A>(launch, of, packedOf(launch.inputs[5], of.tokens), {}, dataOf<A>(launch.outputs[0]));
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
    const StateSpace<A> of = stateSpaceOf<A>(launch.inputs, launch.attributes);
    float* state = launch.outputs[1].f32();
    const int32_t* positions = launch.inputs[6].i32();
    A* y = dataOf<A>(launch.outputs[0]);
    if (of.tokens > kFewTokens) return runForward<A>(launch, of, {nullptr, 1, of.tokens}, {state, positions}, y);
    const dim3 grid(static_cast<unsigned>(ceilDivide(of.headSize, kStateColumns)), static_cast<unsigned>(of.heads));
    fewTokensKernel<A><<<grid, kWindowThreads, 0, contextOf(launch).stream>>>(of, state, positions, y);
    return nullptr;
  });
}

}  // namespace anneal::cuda
