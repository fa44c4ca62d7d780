#pragma once

#include "cuda/attention/mma.cuh"
#include "cuda/cluster.cuh"
#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {

constexpr int kSoftmaxThreads = 256;
/** Of a multiprocessor: while one joins what its threads found, another reads and writes. */
constexpr int kSoftmaxBlocks = 4;

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

/** How a block takes its columns: every thread a vector of V, then the one kStep columns further. */
template <typename L>
struct Sweep {
  static constexpr int V = kLanes<L>, kStep = kSoftmaxThreads * V;

  /** 16-byte words, of as many steps as there is room for; each thread reads back only what it wrote. */
  __device__ static uint4* stash() {
    extern __shared__ uint4 words[];
    return words;
  }
};

/** V logits from `column` on, out of `from`; those from `end` on weigh nothing. */
template <int V, typename L>
__device__ void loadLogits(const L* from, int column, int end, float (&values)[V]) {
  if (column >= end) {
#pragma unroll
    for (int j = 0; j < V; j++) values[j] = -INFINITY;
    return;
  }
  load<V>(from, values);
  if (column + V > end) {
#pragma unroll
    for (int j = 0; j < V; j++)
      if (column + j >= end) values[j] = -INFINITY;
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

/** The largest of some logits, and Σ exp(logit - maximum). */
template <typename L, typename Total>
struct Peak {
  float maximum = -INFINITY;
  Total total = 0;

  /** What the total becomes where a larger logit is the maximum; 0 of no logits at all. */
  __device__ Total under(float larger) const { return total == 0 ? 0 : total * exponential<L>(maximum, larger); }
};

/** The peak of a row of which each block of a cluster has a part. By all threads. */
template <typename L>
__device__ Peak<L, double> joinCluster(const Peak<L, double>& part, int own, int parts, int turn, ClusterMail& mail) {
  const uint64_t total = __double_as_longlong(part.total);
  const uint4 got = mail.exchange({__float_as_uint(part.maximum), 0, static_cast<uint32_t>(total), static_cast<uint32_t>(total >> 32)}, own, parts, turn);
  Peak<L, double> row, other;
  if (static_cast<int>(threadIdx.x) % kMostClusterBlocks < parts)
    other = {__uint_as_float(got.x), __longlong_as_double(static_cast<int64_t>(uint64_t{got.w} << 32 | got.z))};
  row.maximum = joinLanes<kMostClusterBlocks>(other.maximum, Maximum{});
  row.total = joinLanes<kMostClusterBlocks>(other.under(row.maximum), Sum{});
  return row;
}

/** Of a row of logits, the columns that a block has, and how many of these its shared memory holds. */
struct Columns {
  int parts;  // blocks of a row; several are a cluster
  int each;   // a multiple of 64
  int held;   // all of them, or whole steps
};

/**
 * The result of row i is -log softmax(logits[i] under the cap)[label], 0 without a label. With a scale it replaces the logits by
 * scale · (softmax - onehot), times the cap's slope, rounded once; by zeros without a label. A block, or cluster of blocks, takes every so many-th
 * row. Logits are read once: between their two uses they are held in shared memory, where each makes room for one of the next row, so that memory is
 * read while it is written. What does not fit there is read again.
 */
template <bool kCapped, typename L>
__global__ void __launch_bounds__(kSoftmaxThreads, kSoftmaxBlocks)
    rowSoftmaxKernel(Logits<L> logits, int count, Supervision of, SoftCap<kCapped> cap, Columns columns, RowScale scale, RowResults results) {
  using S = Sweep<L>;
  constexpr int V = S::V, kLate = 4;
  __shared__ float maxima[kSoftmaxThreads / kWarp];
  __shared__ double sums[kSoftmaxThreads / kWarp];
  __shared__ ClusterMail mail;
  const int thread = static_cast<int>(threadIdx.x), part = static_cast<int>(blockIdx.x) % columns.parts;
  const int begin = part * columns.each, end = min(begin + columns.each, logits.vocabulary), held = min(begin + columns.held, end);
  const int first = begin + thread * V, rows = static_cast<int>(gridDim.x) / columns.parts;
  L* stash = reinterpret_cast<L*>(S::stash()) - begin;
  if (columns.parts > 1) mail.open();

  const auto fetch = [&](int i, int column) {
    if (i < count) copyAsync16(sharedAddress(stash + column), logits.values + i * logits.pitch + column, true);
    commitCopies();
  };
  int i = static_cast<int>(blockIdx.x) / columns.parts, joined = 0;
  for (int column = first; column < held; column += S::kStep) fetch(i, column);
  int label = i < count ? of.labelOf(i, logits.vocabulary) : -1;
  while (i < count) {
    L* row = logits.values + i * logits.pitch;
    const int now = i, target = label;
    i += rows;
    if (i < count) label = of.labelOf(i, logits.vocabulary);
    if (target < 0) {
      waitForCopies();
      if (part == 0 && thread == 0) results.store(now, 0);
      const float zeros[V] = {};
#pragma unroll 1
      for (int column = first; column < end; column += S::kStep) {
        if (column < held) fetch(i, column);
        if (scale.isGiven()) store<V>(row + column, zeros);
      }
      continue;
    }

    Peak<L, float> mine;
    const auto add = [&](const L* from, int column) {
      float values[V];
      loadLogits<V>(from, column, end, values);
      float larger = mine.maximum;
#pragma unroll
      for (int j = 0; j < V; j++) larger = fmaxf(larger, values[j] = cap.of(values[j]));
      if (larger == -INFINITY) {  // no number among them; but what is none must make the row's loss none, too
#pragma unroll
        for (int j = 0; j < V; j++)
          if (isnan(values[j])) mine.total = values[j];
        return;
      }
      if (larger > mine.maximum) mine = {larger, mine.under(larger)};
#pragma unroll
      for (int j = 0; j < V; j++) mine.total += exponential<L>(values[j], mine.maximum);
    };
    // What was asked for last may still be on its way.
    int column = first;
    waitForCopies<kLate>();
    for (; column + kLate * S::kStep < held; column += S::kStep) add(stash + column, column);
    waitForCopies();
    for (; column < held; column += S::kStep) add(stash + column, column);
    for (; column < end; column += S::kStep) add(row + column, column);
    Peak<L, double> peak;
    peak.maximum = joinBlock<kSoftmaxThreads>(mine.maximum, maxima, Maximum{});
    peak.total = joinBlock<kSoftmaxThreads>(static_cast<double>(mine.under(peak.maximum)), sums, Sum{});
    if (columns.parts > 1) peak = joinCluster(peak, part, columns.parts, joined++, mail);

    // The thread that has the label's logit.
    const bool isHere = target >= begin && target < end && (target - begin) / V % kSoftmaxThreads == thread;
    const float logit = isHere ? cap.of(toFloat(target < held ? stash[target] : row[target])) : 0;
    const float subtracted = scale.isGiven() ? scale.of(now) : 0, factor = static_cast<float>(subtracted / peak.total);
    const auto replace = [&](int column, float (&values)[V]) {
#pragma unroll
      for (int j = 0; j < V; j++) {
        const float capped = cap.of(values[j]);
        values[j] = exponential<L>(capped, peak.maximum) * factor;
        if constexpr (kCapped) values[j] = capped == -INFINITY ? 0 : values[j] * cap.slope(capped);
      }
      store<V>(row + column, values);
    };
    // Of what is read again the last is still in the cache.
    for (column -= S::kStep; scale.isGiven() && column >= held; column -= S::kStep) {
      float values[V];
      loadLogits<V>(row + column, column, end, values);
      replace(column, values);
    }
#pragma unroll 2
    for (column = first; column < held; column += S::kStep) {
      float values[V];
      loadLogits<V>(stash + column, column, end, values);
      fetch(i, column);
      if (scale.isGiven()) replace(column, values);
    }
    if (!isHere) continue;
    results.store(now, log(peak.total) + static_cast<double>(peak.maximum) - static_cast<double>(logit));
    if (scale.isGiven()) row[target] = fromFloat<L>((exponential<L>(logit, peak.maximum) * factor - subtracted) * cap.slope(logit));
  }
  if (columns.parts > 1) meetCluster();  // nobody writes into the mail of a block that has ended
}

/** Blocks of a row: as few as have kSoftmaxBlocks beside each other on a multiprocessor, where the GPU has clusters of blocks. */
template <typename L>
Columns columnsOf(int vocabulary, bool hasClusters) {
  constexpr int kOwnBytes = 512, kSystemBytes = 1024, kStep = Sweep<L>::kStep;
  int device = 0, blockBytes = 0, allBytes = 0;
  cudaGetDevice(&device);
  cudaDeviceGetAttribute(&blockBytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device);
  cudaDeviceGetAttribute(&allBytes, cudaDevAttrMaxSharedMemoryPerMultiprocessor, device);
  const auto eachOf = [&](int parts) { return static_cast<int>(ceilDivide(vocabulary, parts * 64)) * 64; };
  const auto heldOf = [&](int each, int bytes) {
    const int fit = (bytes - kOwnBytes) / static_cast<int>(sizeof(L));
    return each <= fit ? each : fit / kStep * kStep;
  };
  int parts = 1;
  while (hasClusters && parts < kMostClusterBlocks && heldOf(eachOf(parts), allBytes / kSoftmaxBlocks - kSystemBytes) < eachOf(parts)) parts *= 2;
  return {parts, eachOf(parts), heldOf(eachOf(parts), blockBytes)};
}

template <bool kCapped, typename L>
void rowSoftmax(const Launch& launch, int64_t count, const Logits<L>& logits, const Supervision& of, SoftCap<kCapped> cap, const RowScale& scale,
                const RowResults& results) {
  const auto kernel = rowSoftmaxKernel<kCapped, L>;
  const Columns columns = columnsOf<L>(logits.vocabulary, hasClusters(kernel));
  ClusterLaunch clusters{columns.parts, kSoftmaxThreads, columns.held * sizeof(L)};
  cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(clusters.shared_bytes));
  const int most = clusters.mostAtOnce(kernel, contextOf(launch).multiprocessors);
  clusters.start(kernel, static_cast<unsigned>(count < most ? count : most), contextOf(launch).stream, logits, static_cast<int>(count), of, cap, columns,
                 scale, results);
}

}  // namespace anneal::cuda
