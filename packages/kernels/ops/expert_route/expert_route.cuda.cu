#include <cmath>

#include "expert_choice.cuh"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 256;

template <typename A>
__device__ float sumOfExponentials(const A* logits, int experts, float largest) {
  float sum = 0;
  for (int e = static_cast<int>(threadIdx.x) % kWarp; e < experts; e += kWarp) sum += expf(toFloat(logits[e]) - largest);
  return joinLanes<kWarp>(sum, Sum{});
}

template <typename A>
struct SoftmaxRouter {
  const A* all;
  bool normalized;
  Assignments to;

  __device__ void choose(int token) const {
    const A* logits = all + int64_t{token} * to.experts;
    float largest = 0;
    const auto powerOf = [&](Candidate best, int choice) {
      if (choice == 0) largest = best.score;
      return expf(best.score - largest);
    };
    float sum = chooseExperts(to, token, [&](int expert) { return toFloat(logits[expert]); }, powerOf);
    if (!normalized) sum = sumOfExponentials(logits, to.experts, largest);
    finishGates(to, token, [&](float gate) { return gate / sum; });
  }
};

constexpr int kBlocksAtOnce = 8, kMostParts = 32;

/** One block: where each expert's assignments begin, and within them those of each block of tokens. An expert has several threads, each for some blocks. */
__global__ void __launch_bounds__(kMostExperts) offsetsKernel(Assignments p, int blocks) {
  __shared__ int32_t before[kMostExperts], totals[kMostExperts];
  const int thread = static_cast<int>(threadIdx.x), e = thread % p.experts, part = thread / p.experts;
  const int parts = min(kMostParts, kMostExperts / p.experts), each = (blocks + parts - 1) / parts;
  const int begin = part * each, end = min(begin + each, blocks);
  int own = 0;
#pragma unroll kBlocksAtOnce
  for (int b = begin; b < end; b++) own += p.counts[int64_t{b} * p.experts + e];
  before[thread] = own;
  __syncthreads();
  if (part == 0) {
    int total = 0;
    for (int i = 0; i < parts; i++) {
      const int next = before[i * p.experts + e];
      before[i * p.experts + e] = total;
      total += next;
    }
    totals[e] = total;
  }
  __syncthreads();
  for (int distance = 1; distance < p.experts; distance *= 2) {
    const int earlier = part == 0 && e >= distance ? totals[e - distance] : 0;
    __syncthreads();
    if (part == 0) totals[e] += earlier;
    __syncthreads();
  }
  if (part >= parts) return;
  int place = (e > 0 ? totals[e - 1] : 0) + before[thread];
  if (part == 0) p.offsets[e] = place;
  if (thread == p.experts - 1) p.offsets[p.experts] = totals[e];
  // Read ahead: the compiler leaves each read behind the write before it.
  for (int first = begin; first < end; first += kBlocksAtOnce) {
    int counts[kBlocksAtOnce];
#pragma unroll
    for (int i = 0; i < kBlocksAtOnce; i++) counts[i] = first + i < end ? p.counts[int64_t{first + i} * p.experts + e] : 0;
#pragma unroll
    for (int i = 0; i < kBlocksAtOnce; i++) {
      if (first + i < end) p.counts[int64_t{first + i} * p.experts + e] = place;
      place += counts[i];
    }
  }
}

/** Behind the assignments of earlier blocks to the same expert, and those of its own block that come before. */
__global__ void __launch_bounds__(kThreads) placesKernel(Assignments p) {
  const int begin = static_cast<int>(blockIdx.x) * kRoutedTokens * p.choices, end = min(begin + kRoutedTokens * p.choices, p.tokens * p.choices);
  for (int i = begin + static_cast<int>(threadIdx.x); i < end; i += kThreads) {
    const int expert = p.chosen[i];
    int place = p.counts[int64_t{blockIdx.x} * p.experts + expert];
#pragma unroll 8
    for (int j = begin; j < i; j++) place += p.chosen[j] == expert;
    p.places[i] = place;
  }
}

template <typename A>
struct RouteBackward {
  const float* dgates;
  const A* logits;
  const float* gates;
  const int32_t* chosen;
  A* dlogits;
  int tokens, experts, choices;
  bool normalized;
};

/** A warp for each token. */
template <typename A>
__global__ void __launch_bounds__(kThreads) routeBackwardKernel(RouteBackward<A> p) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const int64_t token = int64_t{blockIdx.x} * (kThreads / kWarp) + threadIdx.x / kWarp;
  if (token >= p.tokens) return;
  const float *dgates = p.dgates + token * p.choices, *gates = p.gates + token * p.choices;
  const int32_t* chosen = p.chosen + token * p.choices;
  const A* logits = p.logits + token * p.experts;
  A* out = p.dlogits + token * p.experts;
  float mean = 0;
  for (int c = 0; c < p.choices; c++) mean += gates[c] * dgates[c];
  const float largest = p.normalized ? 0 : toFloat(logits[chosen[0]]);
  const float sum = p.normalized ? 1 : sumOfExponentials(logits, p.experts, largest);
  for (int e = lane; e < p.experts; e += kWarp) {
    float gradient = p.normalized ? 0 : -mean * (expf(toFloat(logits[e]) - largest) / sum);
    for (int c = 0; c < p.choices; c++)
      if (chosen[c] == e) gradient = gates[c] * (dgates[c] - mean);
    out[e] = fromFloat<A>(gradient);
  }
}

}  // namespace

void sortAssignments(const Launch& launch, const Assignments& of) {
  const cudaStream_t stream = contextOf(launch).stream;
  offsetsKernel<<<1, kMostExperts, 0, stream>>>(of, of.blocks());
  if (of.tokens > 0) placesKernel<<<of.blocks(), kThreads, 0, stream>>>(of);
}

const char* expert_route(const Launch& launch) {
  const Tensor logits = launch.inputs[0];
  const Assignments to(launch);
  if (to.experts > kMostExperts) return kTooManyExperts;
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    routeTokens(launch, SoftmaxRouter<A>{dataOf<A>(logits), launch.attributes[1] != 0, to});
  });
}

const char* expert_route_backward(const Launch& launch) {
  const Tensor dgates = launch.inputs[0], logits = launch.inputs[1];
  const int tokens = static_cast<int>(logits.shape[0]);
  if (tokens == 0) return nullptr;
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    const RouteBackward<A> p{dgates.f32(),
                             dataOf<A>(logits),
                             launch.inputs[2].f32(),
                             launch.inputs[3].i32(),
                             dataOf<A>(launch.outputs[0]),
                             tokens,
                             static_cast<int>(logits.shape[1]),
                             static_cast<int>(dgates.shape[1]),
                             launch.attributes[0] != 0};
    routeBackwardKernel<<<static_cast<unsigned>(ceilDivide(tokens, kThreads / kWarp)), kThreads, 0, contextOf(launch).stream>>>(p);
  });
}

}  // namespace anneal::cuda
