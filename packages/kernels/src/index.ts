export { adafactorOp, adafactorVectorOp } from '../ops/adafactor/op.ts';
export { adamwOp } from '../ops/adamw/op.ts';
export { adamw8bitOp, momentBlock } from '../ops/adamw_8bit/op.ts';
export { type AdaptedMatrix, adaptMatrix, adaptMatrixBackward } from '../ops/adapted_matrix/op.ts';
export { add } from '../ops/add/op.ts';
export { addBias } from '../ops/add_bias/op.ts';
export { addToStreams } from '../ops/add_to_streams/op.ts';
export { type AttentionOptions, attention, attentionLimits } from '../ops/attention/op.ts';
export { attentionCached, attentionOverCache } from '../ops/attention_cached/op.ts';
export { averageOp } from '../ops/average/op.ts';
export { chooseToken } from '../ops/choose_token/op.ts';
export { columnSquares, expertColumnSquares } from '../ops/column_squares/op.ts';
export { dequantizeNf4, type Nf4Weight, nf4Block, nf4ScaleBlock } from '../ops/dequantize_nf4/op.ts';
export { type DoraLinears, doraNorm, doraScale, scaleColumns } from '../ops/dora/op.ts';
export { dropout } from '../ops/dropout/op.ts';
export { embedding } from '../ops/embedding/op.ts';
export { type EmbeddingNoise, embeddingNoise } from '../ops/embedding_noise/op.ts';
export { exchangeOp } from '../ops/exchange/op.ts';
export { expertAddBias } from '../ops/expert_add_bias/op.ts';
export { balanceLoss, type RoutedTokens } from '../ops/expert_balance/op.ts';
export { expertCombine, expertDispatch } from '../ops/expert_dispatch/op.ts';
export { type ExpertLinearOptions, expertLinear } from '../ops/expert_linear/op.ts';
export { type ExpertRoutes, expertRoute } from '../ops/expert_route/op.ts';
export { expertRouteSigmoid, type SigmoidRouting } from '../ops/expert_route_sigmoid/op.ts';
export { expertScaleGates } from '../ops/expert_scale_gates/op.ts';
export { type ExpertActivation, expertSwiglu, plainSwiglu } from '../ops/expert_swiglu/op.ts';
export { type GatedDeltaInputs, gatedDelta, gatedDeltaCached } from '../ops/gated_delta/op.ts';
export { gatherRows } from '../ops/gather_rows/op.ts';
export { gaussianTop } from '../ops/gaussian_top/op.ts';
export { clipScaleOp, squareSumOp } from '../ops/gradient_norm/op.ts';
export {
  completeProjection,
  type GroupFactor,
  type GroupMember,
  groupedLinear,
  type MergedProjection,
  MOST_MEMBERS,
} from '../ops/grouped_linear/op.ts';
export { sigmoidGate, splitGate } from '../ops/head_gate/op.ts';
export { latentKeysValues, trimHeads } from '../ops/latent_heads/op.ts';
export { type LinearOptions, linear, linearBackwardInputOp } from '../ops/linear/op.ts';
export { type CrossEntropy, linearCrossEntropy, linearCrossEntropyTraining } from '../ops/linear_cross_entropy/op.ts';
export { linearLogProbability } from '../ops/linear_log_probability/op.ts';
export { expertLinearNf4, type LinearNf4Options, linearNf4 } from '../ops/linear_nf4/op.ts';
export { lionOp } from '../ops/lion/op.ts';
export { matchMagnitude } from '../ops/match_magnitude/op.ts';
export { mixStreams, type Streams } from '../ops/mix_streams/op.ts';
export { muonApplyOp, muonDirectionOp } from '../ops/muon/op.ts';
export { type PolicyLossInputs, type PolicyLossOptions, policyLoss, policySums } from '../ops/policy_loss/op.ts';
export {
  type AnswerInputs,
  type KtoLossOptions,
  ktoLoss,
  logRatioSumOp,
  type PairLossOptions,
  pairLoss,
  preferenceSums,
  sides,
} from '../ops/preference_loss/op.ts';
export { type QkvRopeOptions, qkvRope } from '../ops/qkv_rope/op.ts';
export { rmsNorm } from '../ops/rms_norm/op.ts';
export { type RopeOptions, type RopeTable, type RopeTableOptions, rope, ropeTable } from '../ops/rope/op.ts';
export { roundToBf16Op } from '../ops/round_to_bf16/op.ts';
export { rowScores } from '../ops/row_scores/op.ts';
export { scale } from '../ops/scale/op.ts';
export { scaleBy } from '../ops/scale_by/op.ts';
export { scheduleFreeAdamwOp, scheduleFreeMixOp } from '../ops/schedule_free/op.ts';
export { longestShortConv, type ShortConvWeights, shortConv, shortConvCached } from '../ops/short_conv/op.ts';
export { softCap } from '../ops/soft_cap/op.ts';
export { joinColumns, splitColumns } from '../ops/split_columns/op.ts';
export { splitQkv } from '../ops/split_qkv/op.ts';
export { type StateSpaceInputs, stateSpace, stateSpaceCached } from '../ops/state_space/op.ts';
export { type GateActivation, swiglu, swigluMerged } from '../ops/swiglu/op.ts';
export { putRowsOp, takeRowsOp } from '../ops/trained_rows/op.ts';
export { zeroOp } from '../ops/zero/op.ts';
export { AddonFault, addon } from './addon.ts';
export type { SourceType } from './addonTypes.ts';
export { backward } from './autodiff.ts';
export {
  type CpuDevice,
  type CudaDevice,
  type CudaReport,
  cpuDevice,
  cudaDevice,
  cudaDevices,
  cudaReport,
  type Device,
  devices,
} from './device.ts';
export { Engine, float32Of, type HostArray, type ProgramCall } from './engine.ts';
export { Graph, graphOf } from './graph.ts';
export { type FloatType, type Nf4Values, quantizeNf4 } from './nf4.ts';
export type { Saving } from './passes/saving.ts';
export {
  type ActivationPolicy,
  activationPolicies,
  type CompileOptions,
  compile,
  deviceBytes,
  type Plan,
  type PlanMemory,
} from './plan.ts';
export type { ActivationType, Bounds, DType, Tensor } from './tensor.ts';
export { Variables } from './variables.ts';
export type { WeightSource } from './weightSource.ts';
export { type EncodeWeights, encodeWeights, type Unrepresentable, type WeightType, weightTypes } from './weights.ts';
