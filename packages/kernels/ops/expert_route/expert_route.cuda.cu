#include <cmath>

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

/** A warp looks at a token, a block at this many: of those each expert's assignments are counted together. */
constexpr int kTokens = 32;
constexpr int kThreads = 256;
constexpr int kMostExperts = 1024;
constexpr const char* kTooManyExperts = "more than 1,024 experts have no kernel on CUDA";

struct Candidate {
  float logit;
  int expert;
};

/** The larger logit, of equal ones the lower expert; what is no number comes last. */
struct Better {
  __device__ Candidate operator()(Candidate a, Candidate b) const {
    const bool first = a.logit > b.logit || (b.logit != b.logit && a.logit == a.logit);
    const bool second = b.logit > a.logit || (a.logit != a.logit && b.logit == b.logit);
    return first || (!second && a.expert < b.expert) ? a : b;
  }
};

__device__ Candidate bestOfWarp(Candidate own) {
#pragma unroll
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    const Candidate other{__shfl_xor_sync(~0u, own.logit, distance), __shfl_xor_sync(~0u, own.expert, distance)};
    own = Better{}(own, other);
  }
  return own;
}

template <typename A>
__device__ float sumOfExponentials(const A* logits, int experts, float largest) {
  float sum = 0;
  for (int e = static_cast<int>(threadIdx.x) % kWarp; e < experts; e += kWarp) sum += expf(toFloat(logits[e]) - largest);
  return joinLanes<kWarp>(sum, Sum{});
}

template <typename A>
struct Route {
  const A* logits;
  int tokens, experts, choices;
  bool normalized;
  float* gates;
  int32_t *chosen, *places, *offsets;
  /** [blocks, experts]: assignments of a block's tokens to each expert, then the place of the first of them. */
  int32_t* counts;
};

/** Chooses experts and computes gates of one token. */
template <typename A>
__device__ void choose(const Route<A>& p, int token) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  const A* logits = p.logits + int64_t{token} * p.experts;
  uint32_t taken = 0;  // bit i: expert lane + 32 · i
  float largest = 0, sum = 0, own = 0;
  for (int c = 0; c < p.choices; c++) {
    Candidate best{NAN, p.experts};
    for (int i = 0, e = lane; e < p.experts; i++, e += kWarp) {
      if (!(taken >> i & 1)) best = Better{}(best, {toFloat(logits[e]), e});
    }
    best = bestOfWarp(best);
    if (best.expert % kWarp == lane) taken |= 1u << best.expert / kWarp;
    if (c == 0) largest = best.logit;
    const float power = expf(best.logit - largest);
    if (p.normalized) sum += power;
    if (c % kWarp == lane) own = power;
    if (lane == 0) p.chosen[int64_t{token} * p.choices + c] = best.expert;
    if (c % kWarp == kWarp - 1 || c == p.choices - 1) {
      const int first = c / kWarp * kWarp;
      if (first + lane <= c) p.gates[int64_t{token} * p.choices + first + lane] = own;
    }
  }
  if (!p.normalized) sum = sumOfExponentials(logits, p.experts, largest);
  __syncwarp();
  for (int c = lane; c < p.choices; c += kWarp) p.gates[int64_t{token} * p.choices + c] /= sum;
}

template <typename A>
__global__ void __launch_bounds__(kThreads) chooseKernel(Route<A> p) {
  __shared__ int32_t counts[kMostExperts];
  for (int e = static_cast<int>(threadIdx.x); e < p.experts; e += kThreads) counts[e] = 0;
  __syncthreads();
  const int begin = static_cast<int>(blockIdx.x) * kTokens, end = min(begin + kTokens, p.tokens);
  for (int token = begin + static_cast<int>(threadIdx.x) / kWarp; token < end; token += kThreads / kWarp) choose(p, token);
  __syncthreads();
  for (int i = begin * p.choices + static_cast<int>(threadIdx.x); i < end * p.choices; i += kThreads) atomicAdd(&counts[p.chosen[i]], 1);
  __syncthreads();
  for (int e = static_cast<int>(threadIdx.x); e < p.experts; e += kThreads) p.counts[int64_t{blockIdx.x} * p.experts + e] = counts[e];
}

/** One block: where each expert's assignments begin, and within them those of each block of tokens. */
template <typename A>
__global__ void __launch_bounds__(kMostExperts) offsetsKernel(Route<A> p, int blocks) {
  __shared__ int32_t totals[kMostExperts];
  const int e = static_cast<int>(threadIdx.x);
  int total = 0;
  if (e < p.experts)
#pragma unroll 8
    for (int b = 0; b < blocks; b++) total += p.counts[int64_t{b} * p.experts + e];
  totals[e] = total;
  __syncthreads();
  for (int distance = 1; distance < kMostExperts; distance *= 2) {
    const int before = e >= distance ? totals[e - distance] : 0;
    __syncthreads();
    totals[e] += before;
    __syncthreads();
  }
  if (e >= p.experts) return;
  int place = totals[e] - total;
  p.offsets[e] = place;
  if (e == p.experts - 1) p.offsets[p.experts] = totals[e];
  for (int b = 0; b < blocks; b++) {
    const int count = p.counts[int64_t{b} * p.experts + e];
    p.counts[int64_t{b} * p.experts + e] = place;
    place += count;
  }
}

/** Behind the assignments of earlier blocks to the same expert, and those of its own block that come before. */
template <typename A>
__global__ void __launch_bounds__(kThreads) placesKernel(Route<A> p) {
  const int begin = static_cast<int>(blockIdx.x) * kTokens * p.choices, end = min(begin + kTokens * p.choices, p.tokens * p.choices);
  for (int i = begin + static_cast<int>(threadIdx.x); i < end; i += kThreads) {
    const int expert = p.chosen[i];
    int place = p.counts[int64_t{blockIdx.x} * p.experts + expert];
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

const char* expert_route(const Launch& launch) {
  const Tensor logits = launch.inputs[0];
  const int tokens = static_cast<int>(logits.shape[0]), experts = static_cast<int>(logits.shape[1]);
  if (experts > kMostExperts) return kTooManyExperts;
  const cudaStream_t stream = contextOf(launch).stream;
  const int choices = static_cast<int>(launch.outputs[0].shape[1]), blocks = static_cast<int>(ceilDivide(tokens, kTokens));
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    const Route<A> route{dataOf<A>(logits),       tokens, experts, choices, launch.attributes[1] != 0, launch.outputs[0].f32(), launch.outputs[1].i32(),
                         launch.outputs[2].i32(), launch.outputs[3].i32(), reinterpret_cast<int32_t*>(launch.workspace)};
    if (blocks > 0) chooseKernel<<<blocks, kThreads, 0, stream>>>(route);
    offsetsKernel<<<1, kMostExperts, 0, stream>>>(route, blocks);
    if (blocks > 0) placesKernel<<<blocks, kThreads, 0, stream>>>(route);
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
