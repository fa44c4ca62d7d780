import type { OpCases } from '../src/cases/casesFor.ts';
import { adafactorCases, adafactorVectorCases } from './adafactor/cases.ts';
import { adamwCases } from './adamw/cases.ts';
import { adamw8bitCases } from './adamw_8bit/cases.ts';
import { adaptedMatrixBackwardCases, adaptedMatrixCases } from './adapted_matrix/cases.ts';
import { addCases } from './add/cases.ts';
import { addBiasBackwardCases, addBiasCases } from './add_bias/cases.ts';
import { addToStreamsCases, sumStreamsCases } from './add_to_streams/cases.ts';
import { asyncCopyCases, awaitCopyCases } from './async_copy/cases.ts';
import { attentionBackwardCases, attentionCases } from './attention/cases.ts';
import { attentionCachedCases, cacheWriteCases } from './attention_cached/cases.ts';
import { attentionSinksBackwardCases } from './attention_sinks/cases.ts';
import { averageCases } from './average/cases.ts';
import { chooseTokenCases } from './choose_token/cases.ts';
import { columnSquaresCases, expertColumnSquaresCases } from './column_squares/cases.ts';
import { dequantizeNf4Cases, dequantizeNf4DoubleCases } from './dequantize_nf4/cases.ts';
import { doraNormCases, doraScaleBackwardCases, doraScaleCases } from './dora/cases.ts';
import { dropoutCases } from './dropout/cases.ts';
import { embeddingBackwardCases, embeddingCases } from './embedding/cases.ts';
import { embeddingNoiseCases } from './embedding_noise/cases.ts';
import { exchangeCases } from './exchange/cases.ts';
import { expertAddBiasBackwardCases, expertAddBiasCases } from './expert_add_bias/cases.ts';
import { balanceLossCases, expertBalanceBackwardCases, expertBalanceCases } from './expert_balance/cases.ts';
import { expertCombineBackwardCases, expertCombineCases, expertDispatchCases } from './expert_dispatch/cases.ts';
import {
  expertLinearBackwardInputCases,
  expertLinearBackwardWeightCases,
  expertLinearCases,
} from './expert_linear/cases.ts';
import { expertRouteBackwardCases, expertRouteCases } from './expert_route/cases.ts';
import { expertRouteSigmoidBackwardCases, expertRouteSigmoidCases } from './expert_route_sigmoid/cases.ts';
import { expertScaleGatesBackwardCases, expertScaleGatesCases } from './expert_scale_gates/cases.ts';
import { expertSwigluBackwardCases, expertSwigluCases } from './expert_swiglu/cases.ts';
import { gatedDeltaBackwardCases, gatedDeltaCachedCases, gatedDeltaCases } from './gated_delta/cases.ts';
import { gatherRowsCases } from './gather_rows/cases.ts';
import { gaussianTopBackwardCases, gaussianTopCases } from './gaussian_top/cases.ts';
import { clipScaleCases, squareSumCases } from './gradient_norm/cases.ts';
import {
  groupedLinearBackwardCases,
  groupedLinearCases,
  groupedLinearMergedBackwardCases,
  groupedLinearMergedCases,
} from './grouped_linear/cases.ts';
import { joinGateCases, sigmoidGateBackwardCases, sigmoidGateCases, splitGateCases } from './head_gate/cases.ts';
import {
  latentKeysValuesBackwardCases,
  latentKeysValuesCases,
  padHeadsCases,
  trimHeadsCases,
} from './latent_heads/cases.ts';
import { linearBackwardInputCases, linearBackwardWeightCases, linearCases } from './linear/cases.ts';
import { linearCrossEntropyCases, linearCrossEntropyTrainingCases } from './linear_cross_entropy/cases.ts';
import { linearLogProbabilityBackwardCases, linearLogProbabilityCases } from './linear_log_probability/cases.ts';
import {
  expertLinearNf4Cases,
  expertLinearNf4DoubleBackwardInputCases,
  expertLinearNf4DoubleCases,
  linearNf4Cases,
  linearNf4DoubleCases,
} from './linear_nf4/cases.ts';
import { lionCases } from './lion/cases.ts';
import { matchMagnitudeBackwardCases, matchMagnitudeCases } from './match_magnitude/cases.ts';
import { mixStreamsBackwardCases, mixStreamsCases } from './mix_streams/cases.ts';
import { muonApplyCases, muonDirectionCases } from './muon/cases.ts';
import { policyLossCases } from './policy_loss/cases.ts';
import { ktoLossCases, logRatioSumCases, pairLossCases } from './preference_loss/cases.ts';
import { qkvRopeBackwardCases, qkvRopeCases } from './qkv_rope/cases.ts';
import { rmsNormBackwardInputCases, rmsNormBackwardWeightCases, rmsNormCases } from './rms_norm/cases.ts';
import { ropeCases, ropeTableCases } from './rope/cases.ts';
import { roundToBf16Cases } from './round_to_bf16/cases.ts';
import { rowScoresBackwardCases, rowScoresCases } from './row_scores/cases.ts';
import { scaleCases } from './scale/cases.ts';
import { scaleByCases } from './scale_by/cases.ts';
import { scheduleFreeAdamwCases, scheduleFreeMixCases } from './schedule_free/cases.ts';
import {
  shortConvBackwardBiasCases,
  shortConvBackwardInputCases,
  shortConvBackwardWeightCases,
  shortConvCachedCases,
  shortConvCases,
} from './short_conv/cases.ts';
import { softCapBackwardCases, softCapCases } from './soft_cap/cases.ts';
import { joinColumnsCases, splitColumnsCases } from './split_columns/cases.ts';
import { joinQkvCases, splitQkvCases } from './split_qkv/cases.ts';
import { stateSpaceBackwardCases, stateSpaceCachedCases, stateSpaceCases } from './state_space/cases.ts';
import { swigluBackwardCases, swigluCases, swigluMergedBackwardCases, swigluMergedCases } from './swiglu/cases.ts';
import { putRowsCases, takeRowsCases } from './trained_rows/cases.ts';
import { zeroCases } from './zero/cases.ts';

/** The cases of every op, in the order of ops/index.ts. */
export const opCases: readonly OpCases[] = [
  adafactorCases,
  adafactorVectorCases,
  adamwCases,
  adamw8bitCases,
  adaptedMatrixCases,
  adaptedMatrixBackwardCases,
  addCases,
  addBiasCases,
  addBiasBackwardCases,
  addToStreamsCases,
  asyncCopyCases,
  awaitCopyCases,
  attentionCases,
  attentionBackwardCases,
  attentionCachedCases,
  cacheWriteCases,
  attentionSinksBackwardCases,
  averageCases,
  chooseTokenCases,
  clipScaleCases,
  columnSquaresCases,
  expertColumnSquaresCases,
  expertBalanceCases,
  expertBalanceBackwardCases,
  balanceLossCases,
  dequantizeNf4Cases,
  dequantizeNf4DoubleCases,
  doraNormCases,
  doraScaleCases,
  doraScaleBackwardCases,
  dropoutCases,
  exchangeCases,
  embeddingCases,
  embeddingBackwardCases,
  embeddingNoiseCases,
  expertRouteCases,
  expertRouteBackwardCases,
  expertRouteSigmoidCases,
  expertRouteSigmoidBackwardCases,
  expertScaleGatesCases,
  expertScaleGatesBackwardCases,
  expertDispatchCases,
  expertCombineCases,
  expertCombineBackwardCases,
  expertLinearCases,
  expertLinearBackwardInputCases,
  expertLinearBackwardWeightCases,
  expertAddBiasCases,
  expertAddBiasBackwardCases,
  expertSwigluCases,
  expertSwigluBackwardCases,
  gatedDeltaCases,
  gatedDeltaBackwardCases,
  gatedDeltaCachedCases,
  gatherRowsCases,
  gaussianTopBackwardCases,
  gaussianTopCases,
  groupedLinearCases,
  groupedLinearBackwardCases,
  groupedLinearMergedCases,
  groupedLinearMergedBackwardCases,
  matchMagnitudeBackwardCases,
  matchMagnitudeCases,
  mixStreamsBackwardCases,
  mixStreamsCases,
  softCapBackwardCases,
  splitGateCases,
  joinGateCases,
  sigmoidGateCases,
  sigmoidGateBackwardCases,
  linearCases,
  linearBackwardInputCases,
  linearBackwardWeightCases,
  linearNf4Cases,
  linearNf4DoubleCases,
  expertLinearNf4Cases,
  expertLinearNf4DoubleCases,
  expertLinearNf4DoubleBackwardInputCases,
  linearCrossEntropyCases,
  linearCrossEntropyTrainingCases,
  linearLogProbabilityCases,
  linearLogProbabilityBackwardCases,
  lionCases,
  muonApplyCases,
  muonDirectionCases,
  pairLossCases,
  policyLossCases,
  ktoLossCases,
  logRatioSumCases,
  qkvRopeCases,
  qkvRopeBackwardCases,
  rmsNormCases,
  rmsNormBackwardInputCases,
  rmsNormBackwardWeightCases,
  ropeCases,
  ropeTableCases,
  rowScoresCases,
  rowScoresBackwardCases,
  roundToBf16Cases,
  scaleCases,
  scaleByCases,
  shortConvCases,
  shortConvBackwardBiasCases,
  shortConvBackwardInputCases,
  shortConvBackwardWeightCases,
  shortConvCachedCases,
  stateSpaceCases,
  stateSpaceBackwardCases,
  stateSpaceCachedCases,
  scheduleFreeAdamwCases,
  scheduleFreeMixCases,
  softCapCases,
  splitColumnsCases,
  joinColumnsCases,
  latentKeysValuesCases,
  latentKeysValuesBackwardCases,
  sumStreamsCases,
  trimHeadsCases,
  padHeadsCases,
  splitQkvCases,
  joinQkvCases,
  squareSumCases,
  swigluCases,
  swigluBackwardCases,
  swigluMergedCases,
  swigluMergedBackwardCases,
  takeRowsCases,
  putRowsCases,
  zeroCases,
];
