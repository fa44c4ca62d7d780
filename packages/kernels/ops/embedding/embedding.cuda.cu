#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

template <typename W, typename A>
struct Embedding {
  const int32_t* tokens;
  const W* weight;
  A* y;
  int64_t vocabulary, width;
  int32_t* fault;

  template <int V>
  __device__ void run(int64_t row, int column) const {
    const int64_t token = checkedId(tokens[row], vocabulary, fault, Fault::token);
    float values[V];
    load<V>(weight + token * width + column, values);
    store<V>(y + row * width + column, values);
  }
};

/** Where a token first and last occurs, so that one block can sum all its rows: in first[token] and last[token]. */
__global__ void __launch_bounds__(kElementThreads)
    occurrencesKernel(const int32_t* tokens, int T, int64_t vocabulary, int32_t* first, int32_t* last, int32_t* fault) {
  const int t = static_cast<int>(blockIdx.x * kElementThreads + threadIdx.x);
  if (t >= T) return;
  const int64_t token = checkedId(tokens[t], vocabulary, fault, Fault::token);
  atomicMin(first + token, t);  // of integers: the same in any order
  atomicMax(last + token, t);
}

constexpr int kThreads = 128;

/**
 * gradient[token] += the rows of dy at every occurrence of the token, in order. Block (t, strip) does so for kThreads · V columns
 * where t is the token's first occurrence.
 */
template <int V, typename A>
__global__ void __launch_bounds__(kThreads) embeddingBackwardKernel(const int32_t* tokens, int64_t vocabulary, const int32_t* first, const int32_t* last,
                                                                    const A* dy, int64_t width, float* gradient) {
  constexpr int kWarps = kThreads / kWarp;
  __shared__ int found[kThreads];
  __shared__ int counts[kWarps];
  const int start = static_cast<int>(blockIdx.x);
  const int32_t id = tokens[start];
  const int64_t token = id >= 0 && id < vocabulary ? id : 0;
  if (first[token] != start) return;
  const int end = last[token] + 1;
  const int column = static_cast<int>(blockIdx.y * kThreads + threadIdx.x) * V;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, warp = static_cast<int>(threadIdx.x) / kWarp;
  float sum[V] = {};
  for (int begin = start; begin < end; begin += kThreads) {
    const int t = begin + static_cast<int>(threadIdx.x);
    const int32_t other = t < end ? tokens[t] : 0;
    const bool same = t < end && (other >= 0 && other < vocabulary ? other : 0) == token;
    const unsigned matches = __ballot_sync(0xffffffffu, same);
    if (lane == 0) counts[warp] = __popc(matches);
    __syncthreads();
    int before = 0, total = 0;
#pragma unroll
    for (int w = 0; w < kWarps; w++) {
      before += w < warp ? counts[w] : 0;
      total += counts[w];
    }
    if (same) found[before + __popc(matches & ((1u << lane) - 1))] = t;
    __syncthreads();
    if (column < width) {
#pragma unroll 4
      for (int i = 0; i < total; i++) {
        float values[V];
        load<V>(dy + found[i] * width + column, values);
#pragma unroll
        for (int j = 0; j < V; j++) sum[j] += values[j];
      }
    }
    __syncthreads();
  }
  if (column >= width) return;
  float values[V];
  load<V>(gradient + token * width + column, values);
#pragma unroll
  for (int j = 0; j < V; j++) values[j] += sum[j];
  store<V>(gradient + token * width + column, values);
}

}  // namespace

const char* embedding(const Launch& launch) {
  const Tensor tokens = launch.inputs[0], weight = launch.inputs[1], y = launch.outputs[0];
  return withTypes(weight.type, y.type, [&](auto of, auto zero) {
    using W = decltype(of);
    using A = decltype(zero);
    overRows<A>(launch, tokens.shape[0], weight.shape[1],
                Embedding<W, A>{tokens.i32(), dataOf<W>(weight), dataOf<A>(y), weight.shape[0], weight.shape[1], contextOf(launch).fault});
  });
}

/** Workspace: first and last occurrence of every token, i32[V] each: 2 · roundUp(4 · V, 256) bytes. */
const char* embedding_backward(const Launch& launch) {
  const Tensor tokens = launch.inputs[0], dy = launch.inputs[1], gradient = launch.outputs[0];
  const int64_t T = tokens.shape[0], vocabulary = gradient.shape[0], width = gradient.shape[1];
  if (T == 0 || width == 0) return nullptr;
  const CudaContext& context = contextOf(launch);
  char* workspace = launch.workspace;
  int32_t* first = take<int32_t>(workspace, vocabulary);
  int32_t* last = take<int32_t>(workspace, vocabulary);
  cudaMemsetAsync(first, 0x7f, vocabulary * sizeof(int32_t), context.stream);
  cudaMemsetAsync(last, 0xff, vocabulary * sizeof(int32_t), context.stream);
  occurrencesKernel<<<static_cast<unsigned>(ceilDivide(T, kElementThreads)), kElementThreads, 0, context.stream>>>(
      tokens.i32(), static_cast<int>(T), vocabulary, first, last, context.fault);
  return withType(dy.type, [&](auto zero) {
    using A = decltype(zero);
    const int V = vectorRows(width, kLanes<A>) ? kLanes<A> : 1;
    const dim3 grid(static_cast<unsigned>(T), static_cast<unsigned>(ceilDivide(width, V * kThreads)));
    const auto kernel = V == 1 ? embeddingBackwardKernel<1, A> : embeddingBackwardKernel<kLanes<A>, A>;
    kernel<<<grid, kThreads, 0, context.stream>>>(tokens.i32(), vocabulary, first, last, dataOf<A>(dy), width, gradient.f32());
  });
}

}  // namespace anneal::cuda
