#pragma once

#include <cmath>

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {

// How routers choose experts: a warp looks at a token, a block at kRoutedTokens, of which each expert's assignments are counted together.

constexpr int kRoutedTokens = 32;
constexpr int kChoosingThreads = kRoutedTokens * kWarp;
constexpr int kMostExperts = 1024;
constexpr const char* kTooManyExperts = "more than 1,024 experts have no kernel on CUDA";

struct Assignments {
  int tokens, experts, choices;
  float* gates;
  int32_t *chosen, *places, *offsets;
  /** [blocks, experts]: assignments of a block's tokens to each expert, then the place of the first of them. */
  int32_t* counts;

  explicit Assignments(const Launch& launch)
      : tokens(static_cast<int>(launch.outputs[0].shape[0])),
        experts(static_cast<int>(launch.outputs[3].shape[0]) - 1),
        choices(static_cast<int>(launch.outputs[0].shape[1])),
        gates(launch.outputs[0].f32()),
        chosen(launch.outputs[1].i32()),
        places(launch.outputs[2].i32()),
        offsets(launch.outputs[3].i32()),
        counts(reinterpret_cast<int32_t*>(launch.workspace)) {}

  int blocks() const { return static_cast<int>(ceilDivide(tokens, kRoutedTokens)); }
};

/** Finds offsets and places of what was chosen and counted. */
void sortAssignments(const Launch& launch, const Assignments& of);

struct Candidate {
  float score;
  int expert;
};

/** The larger score, of equal ones the lower expert; what is no number comes last. */
struct Better {
  __device__ Candidate operator()(Candidate a, Candidate b) const {
    const bool first = a.score > b.score || (b.score != b.score && a.score == a.score);
    const bool second = b.score > a.score || (a.score != a.score && b.score == b.score);
    return first || (!second && a.expert < b.expert) ? a : b;
  }
};

__device__ inline Candidate bestOfWarp(Candidate own) {
#pragma unroll
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    const Candidate other{__shfl_xor_sync(~0u, own.score, distance), __shfl_xor_sync(~0u, own.expert, distance)};
    own = Better{}(own, other);
  }
  return own;
}

/** Chooses the experts of one token by `scoreOf(expert)`, with gates from `gateOf(candidate, choice)`. @returns the sum of the gates, to every lane */
template <typename Score, typename Gate>
__device__ float chooseExperts(const Assignments& to, int token, Score scoreOf, Gate gateOf) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t at = int64_t{token} * to.choices;
  uint32_t taken = 0;  // bit i: expert lane + 32 · i
  float sum = 0, own = 0;
  for (int c = 0; c < to.choices; c++) {
    Candidate best{NAN, to.experts};
    for (int i = 0, e = lane; e < to.experts; i++, e += kWarp) {
      if (!(taken >> i & 1)) best = Better{}(best, {scoreOf(e), e});
    }
    best = bestOfWarp(best);
    if (best.expert % kWarp == lane) taken |= 1u << best.expert / kWarp;
    const float gate = gateOf(best, c);
    sum += gate;
    if (c % kWarp == lane) own = gate;
    if (lane == 0) to.chosen[at + c] = best.expert;
    if (c % kWarp == kWarp - 1 || c == to.choices - 1) {
      const int first = c / kWarp * kWarp;
      if (first + lane <= c) to.gates[at + first + lane] = own;
    }
  }
  return sum;
}

/** gate = finish(gate) of all choices of a token. */
template <typename Finish>
__device__ void finishGates(const Assignments& to, int token, Finish finish) {
  __syncwarp();
  for (int c = static_cast<int>(threadIdx.x) % kWarp; c < to.choices; c += kWarp) {
    float& gate = to.gates[int64_t{token} * to.choices + c];
    gate = finish(gate);
  }
}

/** `router.choose(token)` is called by a warp and fills gates and chosen experts of `router.to`. */
template <typename Router>
__global__ void __launch_bounds__(kChoosingThreads, 1) chooseKernel(Router router) {
  __shared__ int32_t counts[kMostExperts];
  const Assignments& to = router.to;
  for (int e = static_cast<int>(threadIdx.x); e < to.experts; e += kChoosingThreads) counts[e] = 0;
  __syncthreads();
  const int begin = static_cast<int>(blockIdx.x) * kRoutedTokens, end = min(begin + kRoutedTokens, to.tokens);
  if (const int token = begin + static_cast<int>(threadIdx.x) / kWarp; token < end) router.choose(token);
  __syncthreads();
  for (int i = begin * to.choices + static_cast<int>(threadIdx.x); i < end * to.choices; i += kChoosingThreads) atomicAdd(&counts[to.chosen[i]], 1);
  __syncthreads();
  for (int e = static_cast<int>(threadIdx.x); e < to.experts; e += kChoosingThreads) to.counts[int64_t{blockIdx.x} * to.experts + e] = counts[e];
}

template <typename Router>
void routeTokens(const Launch& launch, const Router& router) {
  if (router.to.tokens > 0) chooseKernel<<<router.to.blocks(), kChoosingThreads, 0, contextOf(launch).stream>>>(router);
  sortAssignments(launch, router.to);
}

}  // namespace anneal::cuda
