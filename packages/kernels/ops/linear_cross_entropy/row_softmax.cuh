#pragma once

#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {

constexpr int kSoftmaxThreads = 1024;

/** Logits of a chunk of supervised rows. A row is `pitch` values long, of which the first `vocabulary` count. */
template <typename L>
struct Logits {
  L* values;
  int64_t pitch;
  int vocabulary;
};

/** What the rows of a chunk are supervised by. */
struct Supervision {
  const int32_t* rows;  // of this chunk: positions among T, or -1 for a row that only fills up the batch
  const int32_t* labels;
  int64_t T;
  int32_t* fault;

  /** The id that row i should predict; -1 where there is none. */
  __device__ int labelOf(int64_t i, int vocabulary) const {
    const int32_t row = rows[i];
    if (row == -1) return -1;
    if (row < 0 || row >= T) {
      report(fault, Fault::row);
      return -1;
    }
    const int32_t label = labels[row];
    if (label >= 0 && label < vocabulary) return label;
    report(fault, Fault::label);
    return -1;
  }
};

/** Logits as they are, or under a soft cap: value · tanh(logit / value). */
template <bool kCapped>
struct SoftCap {
  float value;

  __device__ float of(float logit) const {
    if constexpr (kCapped) return logit == -INFINITY ? logit : value * tanhf(logit / value);
    return logit;
  }
  /** d capped / d logit, by the capped one. */
  __device__ float slope(float capped) const {
    if constexpr (kCapped) return 1 - capped / value * (capped / value);
    return 1;
  }
};

/** What the gradient of row i's logits is multiplied by: one factor for all, or minus the gradient of each row's log-probability. */
struct RowScale {
  const float* shared;
  const float* dlogps;

  __host__ __device__ bool isGiven() const { return shared || dlogps; }
  RowScale from(int64_t row) const { return {shared, dlogps ? dlogps + row : nullptr}; }
  __device__ float of(int64_t i) const { return dlogps ? -dlogps[i] : *shared; }
};

/** Where -log softmax(logits[i])[label] goes, or the same without its sign, or nowhere. */
struct RowResults {
  double* losses;
  float* logps;

  RowResults from(int64_t row) const { return {losses ? losses + row : nullptr, logps ? logps + row : nullptr}; }
  __device__ void store(int64_t i, double loss) const {
    if (losses) losses[i] = loss;
    if (logps) logps[i] = static_cast<float>(-loss);
  }
};

/** How a block takes a row: every thread `vectors` vectors of V at a time, kStep columns from one to the next. */
template <typename L>
struct Sweep {
  static constexpr int V = kLanes<L>, vectors = 16 / V, kStep = kSoftmaxThreads * V;

  /** 16-byte words, of as many steps as `stash` has; each thread reads back only what it wrote. */
  __device__ static uint4* stash() {
    extern __shared__ uint4 words[];
    return words;
  }
};

/** V logits from `column` on, out of `from`; those beyond the vocabulary weigh nothing. */
template <int V, typename L>
__device__ void loadLogits(const L* from, int column, int vocabulary, float (&values)[V]) {
  if (column >= vocabulary) {
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = -INFINITY;
    return;
  }
  load<V>(from, values);
  if (column + V > vocabulary) {
#pragma unroll
    for (int j = 0; j < V; j++)
      if (column + j >= vocabulary) values[j] = -INFINITY;
  }
}

/**
 * exp(logit - maximum). Of bf16 logits, which are rounded to 2^-9 of themselves, by the instruction for powers of two and one
 * multiply-add before it: relative error below 2^-21 + |logit - maximum| · 2^-23, and a factor that the whole row shares, within
 * |maximum| · 2^-24 of 1.
 */
template <typename L>
__device__ float exponential(float logit, float maximum) {
  if constexpr (sizeof(L) == 4) return expf(logit - maximum);
  constexpr float kLog2E = 1.44269504f;
  float result;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(result) : "f"(fmaf(logit, kLog2E, -maximum * kLog2E)));
  return result;
}

/**
 * The result of row i is -log softmax(logits[i] under the cap)[label], 0 without a label. With a scale it replaces the logits by
 * scale · (softmax - onehot), times the cap's slope, rounded once; by zeros without a label. One block a row, which keeps the first `stashed` columns (a
 * multiple of kStep) in shared memory between its two passes; the rest is then still in the L2 cache.
 */
template <bool kCapped, typename L>
__global__ void __launch_bounds__(kSoftmaxThreads, 1)
    rowSoftmaxKernel(Logits<L> logits, Supervision of, SoftCap<kCapped> cap, int stashed, RowScale scale, RowResults results) {
  using S = Sweep<L>;
  constexpr int V = S::V;
  __shared__ float maxima[kSoftmaxThreads / kWarp];
  __shared__ double sums[kSoftmaxThreads / kWarp];
  L* row = logits.values + blockIdx.x * logits.pitch;
  L* stash = reinterpret_cast<L*>(S::stash());
  const int vocabulary = logits.vocabulary, first = static_cast<int>(threadIdx.x) * V;
  const int label = of.labelOf(blockIdx.x, vocabulary);
  if (label < 0) {
    if (threadIdx.x == 0) results.store(blockIdx.x, 0);
    if (scale.isGiven()) {
      const float zeros[V] = {};
#pragma unroll 1
      for (int column = first; column < vocabulary; column += S::kStep) store<V>(row + column, zeros);
    }
    return;
  }

  const float target = cap.of(toFloat(row[label]));
  float maximum = -INFINITY, sum = 0;  // of this thread's logits, the sum of exp(logit - maximum)
  for (int base = first; base < vocabulary; base += S::vectors * S::kStep) {
    float values[S::vectors][V];
#pragma unroll
    for (int k = 0; k < S::vectors; k++) loadLogits<V>(row + base + k * S::kStep, base + k * S::kStep, vocabulary, values[k]);
    float larger = maximum;
#pragma unroll
    for (int k = 0; k < S::vectors; k++) {
      const int column = base + k * S::kStep;
      if (column < stashed) store<V>(stash + column, values[k]);
#pragma unroll
      for (int j = 0; j < V; j++) {
        values[k][j] = cap.of(values[k][j]);
        larger = fmaxf(larger, values[k][j]);
      }
    }
    if (larger == -INFINITY) continue;
    sum *= exponential<L>(maximum, larger);
    maximum = larger;
#pragma unroll
    for (int k = 0; k < S::vectors; k++)
#pragma unroll
      for (int j = 0; j < V; j++) sum += exponential<L>(values[k][j], maximum);
  }
  const float largest = joinBlock<kSoftmaxThreads>(maximum, maxima, Maximum{});
  const float share = sum == 0 ? 0 : sum * exponential<L>(maximum, largest);
  const double total = joinBlock<kSoftmaxThreads>(static_cast<double>(share), sums, Sum{});
  if (threadIdx.x == 0) results.store(blockIdx.x, log(total) + static_cast<double>(largest) - static_cast<double>(target));
  if (!scale.isGiven()) return;
  __syncthreads();  // everybody has read the label's logit

  const float subtracted = scale.of(blockIdx.x), factor = static_cast<float>(subtracted / total);
  // What was read last first, while it is in the cache.
#pragma unroll 2
  for (int column = first + (vocabulary - 1) / S::kStep * S::kStep; column >= 0; column -= S::kStep) {
    if (column >= vocabulary) continue;
    float values[V];
    loadLogits<V>(column < stashed ? stash + column : row + column, column, vocabulary, values);
#pragma unroll
    for (int j = 0; j < V; j++) {
      const float capped = cap.of(values[j]);
      values[j] = exponential<L>(capped, largest) * factor;
      if constexpr (kCapped) values[j] = capped == -INFINITY ? 0 : values[j] * cap.slope(capped);
    }
    store<V>(row + column, values);
  }
  const bool hasLabel = label / V % kSoftmaxThreads == static_cast<int>(threadIdx.x);  // the thread that wrote there
  if (hasLabel) row[label] = fromFloat<L>((exponential<L>(target, largest) * factor - subtracted) * cap.slope(target));
}

/** Columns that fit into shared memory beside the kernel's own 384 bytes, whole steps of them. */
template <typename L>
int stashedColumns(int64_t vocabulary, int sharedBytes) {
  constexpr int kStep = Sweep<L>::kStep;
  const int64_t fit = (sharedBytes - 384) / static_cast<int64_t>(kStep * sizeof(L)), steps = ceilDivide(vocabulary, kStep);
  return static_cast<int>((fit < steps ? fit : steps) * kStep);
}

template <bool kCapped, typename L>
void rowSoftmax(const Launch& launch, int64_t count, const Logits<L>& logits, const Supervision& of, SoftCap<kCapped> cap, const RowScale& scale,
                const RowResults& results) {
  int device = 0, sharedBytes = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&sharedBytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  const int stashed = scale.isGiven() ? stashedColumns<L>(logits.vocabulary, sharedBytes) : 0;
  const size_t bytes = stashed * sizeof(L);
  cudaFuncSetAttribute(rowSoftmaxKernel<kCapped, L>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes));
  rowSoftmaxKernel<<<static_cast<unsigned>(count), kSoftmaxThreads, bytes, contextOf(launch).stream>>>(logits, of, cap, stashed, scale, results);
}

}  // namespace anneal::cuda
