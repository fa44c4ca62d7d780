#include "answers.h"
#include "cuda/add_shares.cuh"
#include "cuda/elements.cuh"
#include "cuda/reduce.cuh"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 128;

/** The offsets of document `d`, held to the `rows` that there are; they come from the host. */
struct Rows {
  int32_t begin, answer, end;

  __device__ Rows(const AnswerInputs& in, int64_t d, int64_t rows, int32_t* fault)
      : begin(in.row_offsets[d]), answer(in.answer_offsets[d]), end(in.row_offsets[d + 1]) {
    if (begin >= 0 && answer >= begin && end >= answer && end <= rows) return;
    report(fault, Fault::row);
    begin = answer = end = 0;
  }
};

/** Sums over one document by all threads of a block. */
__device__ AnswerSums sumAnswer(const AnswerInputs& in, const Rows& rows) {
  __shared__ double partial[kThreads / kWarp];
  AnswerSums sums;
  for (int32_t r = rows.begin + static_cast<int32_t>(threadIdx.x); r < rows.end; r += kThreads) {
    if (r < rows.answer) {
      sums.before += static_cast<double>(in.logps[r]);
      continue;
    }
    sums.logp += static_cast<double>(in.logps[r]);
    if (in.reference) sums.reference += static_cast<double>(in.reference[r]);
  }
  sums.before = joinBlock<kThreads>(sums.before, partial, Sum{});
  sums.logp = joinBlock<kThreads>(sums.logp, partial, Sum{});
  sums.reference = joinBlock<kThreads>(sums.reference, partial, Sum{});
  sums.tokens = rows.end - rows.answer;
  return sums;
}

__device__ void fill(float* gradients, int32_t begin, int32_t end, float value) {
  for (int32_t r = begin + static_cast<int32_t>(threadIdx.x); r < end; r += kThreads) gradients[r] = value;
}

/** `shares`: of each document, kPreferenceSums values. */
__device__ void store(double* shares, const double* sums) {
  if (threadIdx.x != 0) return;
  for (int i = 0; i < kPreferenceSums; i++) shares[blockIdx.x * kPreferenceSums + i] = sums ? sums[i] : 0;
}

/** One block a document; that of a chosen answer takes the rejected one, too. */
__global__ void __launch_bounds__(kThreads)
    pairLossKernel(AnswerInputs in, PairLoss loss, const float* margins, int64_t rows, int32_t* fault, double* shares, float* dlogps) {
  const int64_t d = blockIdx.x;
  if (!in.isPair(d)) return store(shares, nullptr);
  const Rows chosen(in, d, rows, fault), rejected(in, d + 1, rows, fault);
  const AnswerSums better = sumAnswer(in, chosen), worse = sumAnswer(in, rejected);
  const PairTerms terms = pairTerms(loss, better, worse, in.scale, margins ? static_cast<double>(margins[d]) : 0);
  store(shares, terms.sums);
  fill(dlogps, chosen.begin, chosen.answer, terms.before);
  fill(dlogps, chosen.answer, chosen.end, terms.chosen);
  fill(dlogps, rejected.answer, rejected.end, terms.rejected);
}

__global__ void __launch_bounds__(kThreads)
    ktoLossKernel(AnswerInputs in, KtoLoss loss, const double* divergence, int64_t rows, int32_t* fault, double* shares, float* dlogps) {
  const int64_t d = blockIdx.x;
  if (in.side[d] != kChosen && in.side[d] != kRejected) return store(shares, nullptr);
  const Rows answer(in, d, rows, fault);
  const AnswerSums sums = sumAnswer(in, answer);
  const KtoTerms terms = ktoTerms(loss, sums, in.side[d] == kChosen, divergenceOf(divergence, in.scale[1]), in.scale[0]);
  store(shares, terms.sums);
  fill(dlogps, answer.answer, answer.end, terms.answer);
}

__global__ void __launch_bounds__(kThreads) logRatioSumKernel(const float* logps, const float* reference, int64_t rows, double* total) {
  __shared__ double partial[kThreads / kWarp];
  double sum = 0;
  for (int64_t r = threadIdx.x; r < rows; r += kThreads) sum += static_cast<double>(logps[r]) - static_cast<double>(reference[r]);
  sum = joinBlock<kThreads>(sum, partial, Sum{});
  if (threadIdx.x == 0) *total += sum;
}

/** Zeros for rows of no answer; then what `run` enqueues for each document; then the sums over them. */
template <typename Run>
const char* overDocuments(const Launch& launch, const Run& run) {
  const AnswerInputs in(launch);
  const int64_t rows = launch.inputs[0].shape[0];
  cudaStream_t stream = contextOf(launch).stream;
  double* shares = reinterpret_cast<double*>(launch.workspace);
  cudaMemsetAsync(launch.outputs[1].data, 0, rows * sizeof(float), stream);
  if (in.documents <= 0) return nullptr;
  run(in, rows, static_cast<unsigned>(in.documents), shares);
  addShares<kPreferenceSums>(stream, shares, in.documents, launch.outputs[0].f64());
  return nullptr;
}

}  // namespace

const char* pair_loss(const Launch& launch) {
  const CudaContext& context = contextOf(launch);
  const float* margins = launch.inputs[7].absent() ? nullptr : launch.inputs[7].f32();
  return overDocuments(launch, [&](const AnswerInputs& in, int64_t rows, unsigned documents, double* shares) {
    pairLossKernel<<<documents, kThreads, 0, context.stream>>>(in, PairLoss(launch.attributes), margins, rows, context.fault, shares, launch.outputs[1].f32());
  });
}

const char* kto_loss(const Launch& launch) {
  const CudaContext& context = contextOf(launch);
  return overDocuments(launch, [&](const AnswerInputs& in, int64_t rows, unsigned documents, double* shares) {
    ktoLossKernel<<<documents, kThreads, 0, context.stream>>>(in, KtoLoss(launch.attributes), launch.inputs[7].f64(), rows, context.fault, shares,
                                                              launch.outputs[1].f32());
  });
}

const char* log_ratio_sum(const Launch& launch) {
  const int64_t rows = launch.inputs[0].shape[0];
  logRatioSumKernel<<<1, kThreads, 0, contextOf(launch).stream>>>(launch.inputs[0].f32(), launch.inputs[1].f32(), rows, launch.outputs[0].f64());
  return nullptr;
}

}  // namespace anneal::cuda
