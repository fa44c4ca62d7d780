#include <cfloat>

#include "sampling.h"
#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

/** A block for each token. */
constexpr int kThreads = 512, kWarps = kThreads / kWarp;
/** That a multiprocessor has room for: left to itself the compiler spills to make room for more. */
constexpr int kBlocks = 2;
/** Loads of a thread on their way at once. */
constexpr int kAtOnce = 16;

template <typename A>
struct Choice {
  const A* logits;
  const int32_t* rows;
  const double *draws, *sampling;
  int32_t* ids;
  int height, tokens;  // of the logits
  int32_t* fault;
};

struct Best {
  uint32_t order;
  int id;
};

/** The higher order, of equal ones the lower id. What is no number has the highest order of all if it is positive, else the lowest. */
__device__ Best better(Best a, Best b) { return a.order > b.order || (a.order == b.order && a.id < b.id) ? a : b; }

/** Of the tokens of a warp's range so many of the likeliest are held in shared memory, where filters look for their limits. */
constexpr int kHeld = 256;
/** 2^-10 of the likeliest's weight, as its logit is lower by at temperature 1. */
constexpr float kLikely = 6.93147182f;

struct Shared {
  float likely[kWarps][kHeld];
  int likely_counts[kWarps];
  Best best[kWarps];
  double weights[kWarps];
  int counts[kWarps];
  int chosen;
};

template <typename A>
__device__ Best bestOf(const A* logits, int tokens, Shared& shared) {
  Best best{0, tokens};
  for (int first = static_cast<int>(threadIdx.x); first < tokens; first += kThreads * kAtOnce) {
    float loaded[kAtOnce];
#pragma unroll
    for (int j = 0; j < kAtOnce; j++) loaded[j] = first + j * kThreads < tokens ? toFloat(logits[first + j * kThreads]) : -INFINITY;
#pragma unroll
    for (int j = 0; j < kAtOnce; j++) best = better(best, {loaded[j] == loaded[j] ? orderOf(loaded[j]) : 0xffffffffu, first + j * kThreads});
  }
  const auto join = [](Best own, int lanes) {
    for (int distance = lanes / 2; distance > 0; distance /= 2)
      own = better(own, {__shfl_xor_sync(~0u, own.order, distance), __shfl_xor_sync(~0u, own.id, distance)});
    return own;
  };
  best = join(best, kWarp);
  if (threadIdx.x % kWarp == 0) shared.best[threadIdx.x / kWarp] = best;
  __syncthreads();
  best = join(shared.best[threadIdx.x % kWarps], kWarps);
  __syncthreads();
  return best;
}

/** What each token of a row weighs, as a share of the likeliest, and which of them are kept. */
template <typename A>
struct Row {
  const A* logits;
  int tokens;
  float top, scale;
  double min_p;

  __device__ float weight(float logit) const { return expf((logit - top) * scale); }
};

/** The float that has this order. */
__device__ inline float valueOf(uint32_t order) { return __uint_as_float(order & 0x80000000u ? order & 0x7fffffffu : ~order); }

/** Of tokens of a higher order, by the whole block: `forLogits` calls with the logits of a thread. */
template <typename A, typename Logits>
__device__ Mass massAbove(const Row<A>& row, uint32_t order, Shared& shared, const Logits& forLogits) {
  int count = 0;
  double weight = 0;
  forLogits([&](float logit) {
    if (orderOf(logit) > order) count++, weight += double{row.weight(logit)};
  });
  count = joinBlock<kThreads>(count, shared.counts, Sum{});
  weight = joinBlock<kThreads>(weight, shared.weights, Sum{});
  return {count, weight};
}

/** The ids of a warp: ranges beside each other. */
struct Range {
  int begin, end;
  __device__ explicit Range(int tokens) {
    const int each = (tokens + kWarps - 1) / kWarps;
    begin = static_cast<int>(threadIdx.x) / kWarp * each, end = min(begin + each, tokens);
  }
};

/** Holds the tokens of a higher order; false where they are too many. */
template <typename A>
__device__ bool holdLikely(const Row<A>& row, uint32_t order, Shared& shared) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  const Range range(row.tokens);
  int count = 0;
  for (int first = range.begin; first < range.end; first += kWarp) {
    const float logit = first + lane < range.end ? toFloat(row.logits[first + lane]) : -INFINITY;
    const bool isLikely = first + lane < range.end && orderOf(logit) > order;
    const unsigned likely = __ballot_sync(~0u, isLikely);
    const int place = count + __popc(likely & ((1u << lane) - 1));
    if (isLikely && place < kHeld) shared.likely[warp][place] = logit;
    count += __popc(likely);
  }
  if (lane == 0) shared.likely_counts[warp] = min(count, kHeld);
  return __syncthreads_and(count <= kHeld) != 0;
}

template <typename A>
__device__ Kept keptOf(const Row<A>& row, const Sampling& sampling, Shared& shared) {
  const uint32_t likely = orderOf(row.top - kLikely / row.scale);
  const bool isFiltered = sampling.top_p < 1 || (sampling.top_k > 0 && sampling.top_k < row.tokens);
  const bool isHeld = isFiltered && holdLikely(row, likely, shared);
  const auto above = [&](uint32_t order) {
    if (isHeld && order >= likely)
      return massAbove(row, order, shared, [&](auto visit) {
        for (int i = static_cast<int>(threadIdx.x); i < kWarps * kHeld; i += kThreads)
          if (i % kHeld < shared.likely_counts[i / kHeld]) visit(shared.likely[i / kHeld][i % kHeld]);
      });
    return massAbove(row, order, shared, [&](auto visit) {
#pragma unroll 4
      for (int i = static_cast<int>(threadIdx.x); i < row.tokens; i += kThreads) visit(toFloat(row.logits[i]));
    });
  };
  return keptBy(sampling, row.tokens, isHeld ? likely : 0, above, [&](uint32_t order) { return double{row.weight(valueOf(order))}; });
}

/**
 * A warp goes over its own range of ids, in order; `before` counts the tied tokens of lower ids. Calls visit(id, weight) by all lanes, with weight 0
 * where a token is not kept, until it says false.
 */
template <typename A, typename Visit>
__device__ void forRange(const Row<A>& row, const Kept& kept, int begin, int end, int before, const Visit& visit) {
  const int lane = static_cast<int>(threadIdx.x) % kWarp;
  for (int first = begin; first < end; first += kWarp) {
    const int i = first + lane;
    const float logit = i < end ? toFloat(row.logits[i]) : 0;
    const uint32_t order = i < end ? orderOf(logit) : 0;
    const unsigned tied = __ballot_sync(~0u, i < end && order == kept.order);
    const int rank = before + __popc(tied & ((1u << lane) - 1));
    before += __popc(tied);
    const bool isKept = i < end && (order > kept.order || (order == kept.order && rank < kept.ties));
    const float weight = isKept ? row.weight(logit) : 0;
    if (!visit(i, double{weight} >= row.min_p ? double{weight} : 0.0)) return;
  }
}

/** The first id up to which weights exceed the draw's share of all. Warps own ranges of ids beside each other. */
template <typename A>
__device__ int drawn(const Row<A>& row, const Kept& kept, double draw, Shared& shared) {
  const int warp = static_cast<int>(threadIdx.x) / kWarp, lane = static_cast<int>(threadIdx.x) % kWarp;
  const auto [begin, end] = Range(row.tokens);
  int ties = 0;
  for (int i = begin + lane; i < end; i += kWarp) ties += orderOf(toFloat(row.logits[i])) == kept.order;
  ties = joinLanes<kWarp>(ties, Sum{});
  if (lane == 0) shared.counts[warp] = ties;
  if (threadIdx.x == 0) shared.chosen = 0;
  __syncthreads();
  int before = 0;
#pragma unroll 1
  for (int i = 0; i < warp; i++) before += shared.counts[i];
  double sum = 0;
  forRange(row, kept, begin, end, before, [&](int, double weight) {
    sum += weight;
    return true;
  });
  sum = joinLanes<kWarp>(sum, Sum{});
  if (lane == 0) shared.weights[warp] = sum;
  __syncthreads();
  double total = 0;
#pragma unroll 1
  for (int i = 0; i < kWarps; i++) total += shared.weights[i];
  // The last warp with weight whose range begins at or below the draw: rounding never leaves none.
  const double wanted = draw * total;
  int owner = 0;
  double lower = 0, reached = 0;
#pragma unroll 1
  for (int i = 0; i < kWarps; i++) {
    if (shared.weights[i] > 0 && reached <= wanted) owner = i, lower = reached;
    reached += shared.weights[i];
  }
  if (warp == owner) {
    double sofar = lower;
    int chosen = -1, last = 0;
    forRange(row, kept, begin, end, before, [&](int id, double weight) {
      double upTo = weight;
#pragma unroll
      for (int distance = 1; distance < kWarp; distance *= 2) {
        const double left = __shfl_up_sync(~0u, upTo, distance);
        if (lane >= distance) upTo += left;
      }
      const unsigned there = __ballot_sync(~0u, weight > 0 && sofar + upTo > wanted), any = __ballot_sync(~0u, weight > 0);
      if (any) last = id - lane + 31 - __clz(any);
      if (there) chosen = id - lane + __ffs(there) - 1;
      sofar += __shfl_sync(~0u, upTo, kWarp - 1);
      return there == 0;
    });
    if (lane == 0) shared.chosen = chosen >= 0 ? chosen : last;
  }
  __syncthreads();
  return shared.chosen;
}

template <typename A>
__global__ void __launch_bounds__(kThreads, kBlocks) chooseKernel(Choice<A> p) {
  __shared__ Shared shared;
  const A* logits = p.logits + checkedId(p.rows[blockIdx.x], p.height, p.fault, Fault::row) * p.tokens;
  const Sampling sampling{p.sampling[0], p.sampling[1], p.sampling[2], p.sampling[3]};
  const Best best = bestOf(logits, p.tokens, shared);
  const float top = toFloat(logits[best.id]);
  int id = isfinite(top) ? best.id : -1;
  if (id >= 0 && sampling.temperature > 0) {
    // An infinite one would make the likeliest token's weight NaN.
    const float scale = fminf(static_cast<float>(1 / sampling.temperature), FLT_MAX);
    const Row<A> row{logits, p.tokens, top, scale, sampling.min_p};
    const Kept kept = keptOf(row, sampling, shared);
    id = drawn(row, kept, p.draws[blockIdx.x], shared);
  }
  if (threadIdx.x == 0) p.ids[blockIdx.x] = id;
}

}  // namespace

const char* choose_token(const Launch& launch) {
  const Tensor logits = launch.inputs[0], rows = launch.inputs[1];
  const int64_t choices = rows.shape[0];
  if (choices == 0) return nullptr;
  return withType(logits.type, [&](auto zero) {
    using A = decltype(zero);
    const Choice<A> choice{dataOf<A>(logits),
                           rows.i32(),
                           launch.inputs[2].f64(),
                           launch.inputs[3].f64(),
                           launch.outputs[0].i32(),
                           static_cast<int>(logits.shape[0]),
                           static_cast<int>(logits.shape[1]),
                           contextOf(launch).fault};
    chooseKernel<<<static_cast<unsigned>(choices), kThreads, 0, contextOf(launch).stream>>>(choice);
  });
}

}  // namespace anneal::cuda
