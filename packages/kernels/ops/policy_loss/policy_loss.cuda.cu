#include "cuda/add_shares.cuh"
#include "cuda/elements.cuh"
#include "policy.h"

namespace anneal::cuda {
namespace {

constexpr int kThreads = 128;

/** One block a document. `shares`: of each document, kPolicySums values. */
__global__ void __launch_bounds__(kThreads) policyLossKernel(PolicyInputs in, PolicyLoss loss, int32_t* fault, double* shares, float* dlogps) {
  __shared__ double partial[kThreads / kWarp];
  const int64_t d = blockIdx.x;
  int32_t begin = in.row_offsets[d], end = in.row_offsets[d + 1];
  if (begin < 0 || end < begin || end > in.rows) {
    report(fault, Fault::row);
    begin = end = 0;
  }
  const double weight = static_cast<double>(in.weights[d]), advantage = static_cast<double>(in.advantages[d]);
  if (weight == 0) end = begin;
  const int32_t first = begin + static_cast<int32_t>(threadIdx.x);
  AnswerShare share;
  for (int32_t r = first; r < end; r += kThreads) share.log_ratio += in.logRatio(r), share.divergence += divergenceOf(in.lead(r));
  share.log_ratio = joinBlock<kThreads>(share.log_ratio, partial, Sum{});
  share.divergence = joinBlock<kThreads>(share.divergence, partial, Sum{});
  double sums[kPolicySums] = {0, 0, 0, 0};
  for (int32_t r = first; r < end; r += kThreads) {
    const TokenTerms terms = loss.of(in.logRatio(r), in.lead(r), advantage, share, end - begin);
    dlogps[r] = static_cast<float>(weight * terms.slope);
    sums[kPolicyLoss] += weight * terms.loss;
    sums[kDivergence] += terms.divergence;
    if (loss.sequence && r > begin) continue;  // one ratio, counted once
    sums[kClippedLow] += terms.low ? 1 : 0;
    sums[kClippedHigh] += terms.high ? 1 : 0;
  }
  for (int i = 0; i < kPolicySums; i++) {
    const double sum = joinBlock<kThreads>(sums[i], partial, Sum{});
    if (threadIdx.x == 0) shares[d * kPolicySums + i] = sum;
  }
}

}  // namespace

const char* policy_loss(const Launch& launch) {
  const PolicyInputs in(launch);
  const CudaContext& context = contextOf(launch);
  double* shares = reinterpret_cast<double*>(launch.workspace);
  float* dlogps = launch.outputs[1].f32();
  cudaMemsetAsync(dlogps, 0, in.rows * sizeof(float), context.stream);
  if (in.documents <= 0) return nullptr;
  policyLossKernel<<<static_cast<unsigned>(in.documents), kThreads, 0, context.stream>>>(in, PolicyLoss(launch.attributes), context.fault, shares, dlogps);
  addShares<kPolicySums>(context.stream, shares, in.documents, launch.outputs[0].f64());
  return nullptr;
}

}  // namespace anneal::cuda
