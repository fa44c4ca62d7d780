#include <cmath>

#include "../expert_route/expert_choice.cuh"
#include "cuda/gates.cuh"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 256;

template <typename A>
struct SigmoidRouter {
  const A* all;
  const float* bias;
  int groups, chosenGroups;
  bool normalized;
  float scale;
  Assignments to;

  /** The best expert of a group but `without`. */
  template <typename Score>
  __device__ Candidate bestOf(int group, int without, Score scoreOf) const {
    const int each = to.experts / groups, begin = group * each;
    Candidate best{NAN, to.experts};
    for (int e = begin + static_cast<int>(threadIdx.x) % kWarp; e < begin + each; e += kWarp)
      if (e != without) best = Better{}(best, {scoreOf(e), e});
    return bestOfWarp(best);
  }

  /** Bit g: experts of group g may be chosen. */
  template <typename Score>
  __device__ uint32_t openGroups(Score scoreOf) const {
    const int lane = static_cast<int>(threadIdx.x) % kWarp;
    float own = -INFINITY;  // of the group of this lane: the sum of its two largest scores
    for (int g = 0; g < groups; g++) {
      const Candidate first = bestOf(g, -1, scoreOf), second = bestOf(g, first.expert, scoreOf);
      const float sum = first.score + second.score;
      if (lane == g && sum == sum) own = sum;
    }
    int better = 0;
    for (int g = 0; g < groups; g++) {
      const float other = __shfl_sync(~0u, own, g);
      better += other > own || (other == own && g < lane);
    }
    return __ballot_sync(~0u, lane < groups && better < chosenGroups);
  }

  __device__ void choose(int token) const {
    const A* logits = all + int64_t{token} * to.experts;
    const int each = to.experts / groups;
    const auto scoreOf = [&](int expert) { return sigmoid(toFloat(logits[expert])) + bias[expert]; };
    const uint32_t open = openGroups(scoreOf);
    const auto openScoreOf = [&](int expert) { return open >> expert / each & 1 ? scoreOf(expert) : -INFINITY; };
    const auto gateOf = [&](Candidate best, int) { return sigmoid(toFloat(logits[best.expert])); };
    const float sum = chooseExperts(to, token, openScoreOf, gateOf);
    const float factor = normalized ? scale / (sum + 1e-20f) : scale;
    finishGates(to, token, [&](float gate) { return gate * factor; });
  }
};

template <typename A>
struct SigmoidBackward {
  const float* dgates;
  const A* logits;
  const float* gates;
  const int32_t* chosen;
  A* dlogits;
  int tokens, experts, choices;
  bool normalized;
  float scale;
};

/** A warp for each token. */
template <typename A>
__global__ void __launch_bounds__(kThreads) sigmoidBackwardKernel(SigmoidBackward<A> p) {
  const int64_t token = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (token >= p.tokens) return;
  const float *dgates = p.dgates + token * p.choices, *gates = p.gates + token * p.choices;
  const int32_t* chosen = p.chosen + token * p.choices;
  float mean = 0;
  for (int c = 0; c < p.choices && p.normalized; c++) mean += gates[c] * dgates[c] / p.scale;
  for (int e = static_cast<int>(threadIdx.x) % kWarp; e < p.experts; e += kWarp) {
    float gradient = 0;
    for (int c = 0; c < p.choices; c++)
      if (chosen[c] == e) gradient = gates[c] * (1 - sigmoid(toFloat(p.logits[token * p.experts + e]))) * (dgates[c] - mean);
    p.dlogits[token * p.experts + e] = fromFloat<A>(gradient);
  }
}

}  // namespace

const char* expert_route_sigmoid(const Launch& launch) {
  const Tensor logits = launch.inputs[0];
  const double* a = launch.attributes;
  const Assignments to(launch);
  const int groups = static_cast<int>(a[1]), chosenGroups = static_cast<int>(a[2]);
  if (to.experts > kMostExperts) return kTooManyExperts;
  if (groups > kWarp) return "more than 32 groups of experts have no kernel on CUDA";
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    routeTokens(launch, SigmoidRouter<A>{dataOf<A>(logits), launch.inputs[1].f32(), groups, chosenGroups, a[3] != 0, static_cast<float>(a[4]), to});
  });
}

const char* expert_route_sigmoid_backward(const Launch& launch) {
  const Tensor dgates = launch.inputs[0], logits = launch.inputs[1];
  const int tokens = static_cast<int>(logits.shape[0]);
  if (tokens == 0) return nullptr;
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    const SigmoidBackward<A> p{dgates.f32(),
                               dataOf<A>(logits),
                               launch.inputs[2].f32(),
                               launch.inputs[3].i32(),
                               dataOf<A>(launch.outputs[0]),
                               tokens,
                               static_cast<int>(logits.shape[1]),
                               static_cast<int>(dgates.shape[1]),
                               launch.attributes[0] != 0,
                               static_cast<float>(launch.attributes[1])};
    sigmoidBackwardKernel<<<static_cast<unsigned>(ceilDivide(tokens, kThreads / kWarp)), kThreads, 0, contextOf(launch).stream>>>(p);
  });
}

}  // namespace anneal::cuda
