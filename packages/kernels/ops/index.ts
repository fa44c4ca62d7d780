import type { Op } from '../src/op.ts';
import { adafactorOp, adafactorVectorOp } from './adafactor/op.ts';
import { adamwOp } from './adamw/op.ts';
import { adamw8bitOp } from './adamw_8bit/op.ts';
import { adaptedMatrixBackwardOp, adaptedMatrixOp } from './adapted_matrix/op.ts';
import { addOp } from './add/op.ts';
import { addBiasBackwardOp, addBiasOp } from './add_bias/op.ts';
import { addToStreamsOp, sumStreamsOp } from './add_to_streams/op.ts';
import { asyncCopyOp, awaitCopyOp } from './async_copy/op.ts';
import { attentionBackwardOp, attentionOp } from './attention/op.ts';
import { attentionCachedOp, cacheWriteOp } from './attention_cached/op.ts';
import { attentionSinksBackwardOp } from './attention_sinks/op.ts';
import { averageOp } from './average/op.ts';
import { chooseTokenOp } from './choose_token/op.ts';
import { columnSquaresOp, expertColumnSquaresOp } from './column_squares/op.ts';
import { dequantizeNf4DoubleOp, dequantizeNf4Op } from './dequantize_nf4/op.ts';
import { doraNormOp, doraScaleBackwardOp, doraScaleOp } from './dora/op.ts';
import { dropoutOp } from './dropout/op.ts';
import { embeddingBackwardOp, embeddingOp } from './embedding/op.ts';
import { embeddingNoiseOp } from './embedding_noise/op.ts';
import { exchangeOp } from './exchange/op.ts';
import { expertAddBiasBackwardOp, expertAddBiasOp } from './expert_add_bias/op.ts';
import { balanceLossOp, expertBalanceBackwardOp, expertBalanceOp } from './expert_balance/op.ts';
import { expertCombineBackwardOp, expertCombineOp, expertDispatchOp } from './expert_dispatch/op.ts';
import { expertLinearBackwardInputOp, expertLinearBackwardWeightOp, expertLinearOp } from './expert_linear/op.ts';
import { expertRouteBackwardOp, expertRouteOp } from './expert_route/op.ts';
import { expertRouteSigmoidBackwardOp, expertRouteSigmoidOp } from './expert_route_sigmoid/op.ts';
import { expertScaleGatesBackwardOp, expertScaleGatesOp } from './expert_scale_gates/op.ts';
import { expertSwigluBackwardOp, expertSwigluOp } from './expert_swiglu/op.ts';
import { gatedDeltaBackwardOp, gatedDeltaCachedOp, gatedDeltaOp } from './gated_delta/op.ts';
import { gatherRowsOp } from './gather_rows/op.ts';
import { gaussianTopBackwardOp, gaussianTopOp } from './gaussian_top/op.ts';
import { clipScaleOp, squareSumOp } from './gradient_norm/op.ts';
import {
  groupedLinearBackwardOp,
  groupedLinearMergedBackwardOp,
  groupedLinearMergedOp,
  groupedLinearOp,
} from './grouped_linear/op.ts';
import { joinGateOp, sigmoidGateBackwardOp, sigmoidGateOp, splitGateOp } from './head_gate/op.ts';
import { latentKeysValuesBackwardOp, latentKeysValuesOp, padHeadsOp, trimHeadsOp } from './latent_heads/op.ts';
import { linearBackwardInputOp, linearBackwardWeightOp, linearOp } from './linear/op.ts';
import { linearCrossEntropyOp, linearCrossEntropyTrainingOp } from './linear_cross_entropy/op.ts';
import { linearLogProbabilityBackwardOp, linearLogProbabilityOp } from './linear_log_probability/op.ts';
import {
  expertLinearNf4DoubleBackwardInputOp,
  expertLinearNf4DoubleOp,
  expertLinearNf4Op,
  linearNf4DoubleOp,
  linearNf4Op,
} from './linear_nf4/op.ts';
import { lionOp } from './lion/op.ts';
import { matchMagnitudeBackwardOp, matchMagnitudeOp } from './match_magnitude/op.ts';
import { mixStreamsBackwardOp, mixStreamsOp } from './mix_streams/op.ts';
import { muonApplyOp, muonDirectionOp } from './muon/op.ts';
import { policyLossOp } from './policy_loss/op.ts';
import { ktoLossOp, logRatioSumOp, pairLossOp } from './preference_loss/op.ts';
import { qkvRopeBackwardOp, qkvRopeOp } from './qkv_rope/op.ts';
import { rmsNormBackwardInputOp, rmsNormBackwardWeightOp, rmsNormOp } from './rms_norm/op.ts';
import { ropeOp, ropeTableOp } from './rope/op.ts';
import { roundToBf16Op } from './round_to_bf16/op.ts';
import { rowScoresBackwardOp, rowScoresOp } from './row_scores/op.ts';
import { scaleOp } from './scale/op.ts';
import { scaleByOp } from './scale_by/op.ts';
import { scheduleFreeAdamwOp, scheduleFreeMixOp } from './schedule_free/op.ts';
import {
  shortConvBackwardBiasOp,
  shortConvBackwardInputOp,
  shortConvBackwardWeightOp,
  shortConvCachedOp,
  shortConvOp,
} from './short_conv/op.ts';
import { softCapBackwardOp, softCapOp } from './soft_cap/op.ts';
import { joinColumnsOp, splitColumnsOp } from './split_columns/op.ts';
import { joinQkvOp, splitQkvOp } from './split_qkv/op.ts';
import { stateSpaceBackwardOp, stateSpaceCachedOp, stateSpaceOp } from './state_space/op.ts';
import { swigluBackwardOp, swigluMergedBackwardOp, swigluMergedOp, swigluOp } from './swiglu/op.ts';
import { putRowsOp, takeRowsOp } from './trained_rows/op.ts';
import { zeroOp } from './zero/op.ts';

/** Every op; native/kernel_list.h lists their kernels. */
export const ops: readonly Op[] = [
  adafactorOp,
  adafactorVectorOp,
  adamwOp,
  adamw8bitOp,
  adaptedMatrixOp,
  adaptedMatrixBackwardOp,
  addOp,
  addBiasOp,
  addBiasBackwardOp,
  addToStreamsOp,
  asyncCopyOp,
  awaitCopyOp,
  attentionOp,
  attentionBackwardOp,
  attentionCachedOp,
  cacheWriteOp,
  attentionSinksBackwardOp,
  averageOp,
  chooseTokenOp,
  clipScaleOp,
  columnSquaresOp,
  expertColumnSquaresOp,
  expertBalanceOp,
  expertBalanceBackwardOp,
  balanceLossOp,
  dequantizeNf4Op,
  dequantizeNf4DoubleOp,
  doraNormOp,
  doraScaleOp,
  doraScaleBackwardOp,
  dropoutOp,
  exchangeOp,
  embeddingOp,
  embeddingBackwardOp,
  embeddingNoiseOp,
  expertRouteOp,
  expertRouteBackwardOp,
  expertRouteSigmoidOp,
  expertRouteSigmoidBackwardOp,
  expertScaleGatesOp,
  expertScaleGatesBackwardOp,
  expertDispatchOp,
  expertCombineOp,
  expertCombineBackwardOp,
  expertLinearOp,
  expertLinearBackwardInputOp,
  expertLinearBackwardWeightOp,
  expertAddBiasOp,
  expertAddBiasBackwardOp,
  expertSwigluOp,
  expertSwigluBackwardOp,
  gatedDeltaOp,
  gatedDeltaBackwardOp,
  gatedDeltaCachedOp,
  gatherRowsOp,
  gaussianTopBackwardOp,
  gaussianTopOp,
  groupedLinearOp,
  groupedLinearBackwardOp,
  groupedLinearMergedOp,
  groupedLinearMergedBackwardOp,
  matchMagnitudeBackwardOp,
  matchMagnitudeOp,
  mixStreamsBackwardOp,
  mixStreamsOp,
  softCapBackwardOp,
  splitGateOp,
  joinGateOp,
  sigmoidGateOp,
  sigmoidGateBackwardOp,
  linearOp,
  linearBackwardInputOp,
  linearBackwardWeightOp,
  linearNf4Op,
  linearNf4DoubleOp,
  expertLinearNf4Op,
  expertLinearNf4DoubleOp,
  expertLinearNf4DoubleBackwardInputOp,
  linearCrossEntropyOp,
  linearCrossEntropyTrainingOp,
  linearLogProbabilityOp,
  linearLogProbabilityBackwardOp,
  lionOp,
  muonApplyOp,
  muonDirectionOp,
  pairLossOp,
  policyLossOp,
  ktoLossOp,
  logRatioSumOp,
  qkvRopeOp,
  qkvRopeBackwardOp,
  rmsNormOp,
  rmsNormBackwardInputOp,
  rmsNormBackwardWeightOp,
  ropeOp,
  ropeTableOp,
  rowScoresOp,
  rowScoresBackwardOp,
  roundToBf16Op,
  scaleOp,
  scaleByOp,
  shortConvOp,
  shortConvBackwardBiasOp,
  shortConvBackwardInputOp,
  shortConvBackwardWeightOp,
  shortConvCachedOp,
  stateSpaceOp,
  stateSpaceBackwardOp,
  stateSpaceCachedOp,
  scheduleFreeAdamwOp,
  scheduleFreeMixOp,
  softCapOp,
  splitColumnsOp,
  joinColumnsOp,
  latentKeysValuesOp,
  latentKeysValuesBackwardOp,
  sumStreamsOp,
  trimHeadsOp,
  padHeadsOp,
  splitQkvOp,
  joinQkvOp,
  squareSumOp,
  swigluOp,
  swigluBackwardOp,
  swigluMergedOp,
  swigluMergedBackwardOp,
  takeRowsOp,
  putRowsOp,
  zeroOp,
].map((op) => op as unknown as Op);
