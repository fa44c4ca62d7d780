/** What a job is on its model, and what it asks that this model cannot do. */
import type { Nf4Form } from '@anneal/formats/bitsandbytes/nf4';
import { UserError } from '../errors.ts';
import type { LoraSpec } from '../models/adapters/lora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import { askedBalanceLoss, hasBalanceLoss } from '../models/config.ts';
import type { OpenModel } from '../models/model.ts';
import { nf4Forms } from '../models/nf4.ts';
import { givesNoText, withScoreHead } from '../models/scoreHead.ts';
import type { ModelJob } from './job.ts';
import { loraOf } from './jobAdapter.ts';
import { isEmbeddingOrHead } from './optimizers/mover.ts';

export interface JobOnModel {
  readonly lora: LoraSpec | null;
  /** Of the weights that are held in 4 bits. */
  readonly nf4: ReadonlyMap<string, Nf4Form>;
  /** What the balance loss of routers counts; 0: it is not computed. */
  readonly balanceLoss: number;
}

/** The model with the head that the job trains. @throws UserError where it cannot have one, or gives no text */
export function headedFor({ objective, seed }: ModelJob, model: OpenModel): OpenModel {
  if (objective.kind === 'reward') return withScoreHead(model, seed);
  if (model.config.scoreHead) throw givesNoText(model.path);
  return model;
}

/** @param initial of `lora_model_dir` @throws UserError for what does not fit the model, which needs neither rows nor weights */
export function jobOnModel(job: ModelJob, model: OpenModel, initial: LoraWeights | null): JobOnModel {
  refuseExpertsAsOneMatrix(model, job);
  refuseStartInFourBits(model, job);
  const balanceLoss = balanceLossOf(model, job);
  const lora = job.adapter && loraOf(job.adapter, model, initial);
  refuseEmbeddingRate(job, lora);
  const nf4 = nf4Forms(model, job.quantization, lora);
  refuseToTrainFourBits(model, nf4, lora);
  return { lora, nf4, balanceLoss };
}

/** Sequences beside each other take the frequencies of the last one: they must all be within the original context. */
export function refuseLongRope({ path, config: { rope } }: OpenModel, tokens: number): void {
  const { scaling } = rope;
  if (scaling?.kind !== 'longrope' && scaling?.kind !== 'dynamic') return;
  if (tokens <= scaling.originalMaxPositions) return;
  throw new UserError({
    what: `with ${scaling.kind === 'longrope' ? 'LongRoPE' : 'dynamic NTK'} answers are sampled within ${scaling.originalMaxPositions} tokens, prompt included; here they may have ${tokens}`,
    where: path,
    next: 'lower trl.max_completion_length, or leave out the longest prompts with a lower sequence_len',
    code: 'longrope_too_long',
  });
}

/** Experts of a layer lie in one matrix: its rows and columns, and what is orthogonal in it, are none of an expert's. */
function refuseExpertsAsOneMatrix({ path, config: { experts } }: OpenModel, { optimizer, adapter }: ModelJob): void {
  const trained = experts !== null && (adapter === null || adapter.targetParameters.length > 0);
  if (!trained || (optimizer.kind !== 'adafactor' && optimizer.kind !== 'muon')) return;
  throw new UserError({
    what: `optimizer: ${optimizer.kind} moves whole matrices, and does not know the experts of this model from each other`,
    where: path,
    next: 'set optimizer: adamw_8bit or lion, or train an adapter without lora_target_parameters',
    code: 'optimizer_not_for_experts',
  });
}

function balanceLossOf({ path, config }: OpenModel, { balanceLoss }: ModelJob): number {
  if (hasBalanceLoss(config)) return balanceLoss ?? askedBalanceLoss(config);
  if (!balanceLoss) return 0;
  throw new UserError({
    what: config.experts
      ? 'the routers of this model have no balance loss, in transformers neither, and router_aux_loss_coef is set'
      : 'router_aux_loss_coef is about routers of experts, and this model has none',
    where: path,
    next: 'remove it',
    code: 'no_balance_loss',
  });
}

/** What an adapter of PiSSA or LoftQ begins as is taken out of weights that are not rounded yet. */
function refuseStartInFourBits({ path, tensors }: OpenModel, { adapter }: ModelJob): void {
  const { initialization = 'plain' } = adapter?.options ?? {};
  if (initialization === 'plain' || ![...tensors.values()].some(({ nf4 }) => nf4)) return;
  throw new UserError({
    what: `peft_init_lora_weights: ${initialization} begins with the weights themselves, and those of this model are stored in 4 bits`,
    where: path,
    next: 'use the original checkpoint in bf16, f16 or f32, or remove peft_init_lora_weights',
    code: 'model_quantized',
  });
}

/** The learning rate of embedding and output layer is for a run that trains one of them. */
function refuseEmbeddingRate({ optimizer }: ModelJob, lora: LoraSpec | null): void {
  if (optimizer.embeddingRate === 1 || !lora || lora.tokens.length > 0) return;
  if ([...lora.modules.keys(), ...lora.full].some((name) => isEmbeddingOrHead({ name }))) return;
  throw new UserError({
    what: 'embedding_lr is the learning rate of embedding and output layer, and this run trains neither',
    next: 'remove it, or list embed_tokens or lm_head in lora_modules_to_save',
    code: 'embedding_not_trained',
  });
}

/** @param nf4 the linears that are held in 4 bits */
function refuseToTrainFourBits({ path }: OpenModel, nf4: ReadonlyMap<string, unknown>, lora: LoraSpec | null): void {
  if (nf4.size === 0 || lora) return;
  throw new UserError({
    what: 'the weights are stored in 4 bits, which cannot be trained themselves',
    where: path,
    next: 'set adapter: qlora, or use the original checkpoint in bf16, f16 or f32',
    code: 'model_quantized',
  });
}
