import type { ActivationPolicy, Device } from '@anneal/kernels';
import type { StepOptions } from '../datasets/steps.ts';
import { toolDefinitions } from '../datasets/toolDefinitions.ts';
import { chooseDevice } from '../device.ts';
import { resolveModelPath } from '../hub/resolve.ts';
import type { FullOptions } from '../models/adapters/full.ts';
import type { LoraOptions } from '../models/adapters/lora.ts';
import type { Quantization } from '../models/nf4.ts';
import { type ObjectiveOptions, objectiveOf } from '../objectives/index.ts';
import type { ResolvedRecipe } from '../recipe/resolve.ts';
import { loraDefaults } from '../recipe/sections/adapter.ts';
import { checkSupported } from '../recipe/support.ts';
import { type DataOptions, dataOptions } from './dataOptions.ts';
import { objectiveOptions } from './objectiveOptions.ts';
import type { OptimizerOptions } from './optimizer.ts';
import { optimizerOptions } from './optimizerOptions.ts';
import { type RolloutJob, rolloutJob } from './rolloutOptions.ts';
import { learningRateSchedule } from './schedule.ts';
import { refuseLongSchedule, scheduleOptions } from './scheduleOptions.ts';

/** What a job does to its model, which needs neither rows nor a device. */
export interface ModelJob {
  /** null: full fine-tuning. */
  readonly adapter: AdapterJob | null;
  readonly objective: ObjectiveOptions;
  readonly optimizer: OptimizerOptions;
  /** What the balance loss of routers counts; null: as the model's config.json says. */
  readonly balanceLoss: number | null;
  readonly quantization: Quantization;
  readonly seed: number;
}

/** A recipe translated into what the trainer takes: nothing below this knows the recipe's keys. */
export interface Job extends ModelJob {
  readonly modelPath: string;
  /** The base as the recipe names it, for adapter_config.json. */
  readonly baseModel: string;
  readonly revision: string | null;
  readonly data: DataOptions;
  readonly steps: StepOptions;
  readonly length: { readonly epochs: number } | { readonly steps: number };
  /** NEFTune's alpha; 0: no noise. */
  readonly embeddingNoiseAlpha: number;
  /** @throws UserError where the schedule does not fit into so many steps */
  readonly refuseSchedule: (totalSteps: number) => void;
  /** The learning rate of each step, counted from 0. */
  readonly scheduleFor: (totalSteps: number) => (step: number) => number;
  readonly weightType: 'f32' | 'bf16';
  readonly activations: ActivationPolicy;
  readonly device: Device;
  readonly logEvery: number;
  readonly evaluate: Cadence;
  readonly save: Cadence;
  readonly saveLimit: number;
  readonly patience: number | null;
  readonly keepBest: boolean;
  readonly samples: SampleJob;
  /** null: nothing is sampled to learn from. */
  readonly rollouts: RolloutJob | null;
  readonly resumeFrom: string | null;
}

export interface AdapterJob {
  readonly options: LoraOptions;
  /** What is trained in full beside it. */
  readonly full: FullOptions;
  readonly targets: 'all-linear' | readonly string[];
  /** Ids of tokens whose rows of the embedding are trained. */
  readonly tokens: readonly number[];
  /** Ends of the names of experts' matrices. */
  readonly targetParameters: readonly string[];
  /** A PEFT folder to go on from. */
  readonly initialFolder: string | null;
  /** Keys of the recipe that say what an adapter to go on from says itself. */
  readonly written: readonly OutvotableKey[];
}

const outvotable = [
  'lora_r',
  'lora_alpha',
  'lora_target_linear',
  'lora_target_modules',
  'lora_target_parameters',
] as const;
type OutvotableKey = (typeof outvotable)[number];

/** Every so many steps, or so many times an epoch; 0 times: only at the end. */
export type Cadence = { readonly steps: number } | { readonly perEpoch: number };

export interface SampleJob {
  readonly prompts: readonly SamplePrompt[];
  readonly maxTokens: number;
  readonly temperature: number;
}

export interface SamplePrompt {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  /** Definitions of what the model may call. */
  readonly tools: readonly unknown[] | null;
}

/**
 * @throws InvalidRecipe for what this device does not support, UserError when the model is not here
 */
export function createJob(recipe: ResolvedRecipe): Job {
  const device = chooseDevice(recipe.device, { threads: recipe.threads ?? undefined });
  checkSupported(recipe, device.kind);
  return {
    ...modelJob(recipe),
    modelPath: resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }),
    baseModel: recipe.base_model,
    revision: recipe.revision,
    data: dataOptions(recipe),
    steps: stepOptions(recipe),
    length: lengthOf(recipe),
    embeddingNoiseAlpha: recipe.neftune_noise_alpha,
    refuseSchedule: (totalSteps) => refuseLongSchedule(recipe, totalSteps),
    scheduleFor: (totalSteps) => learningRateSchedule(scheduleOptions(recipe, totalSteps)),
    weightType: weightTypeOf(recipe.bf16, device),
    activations: recipe.activations,
    device,
    logEvery: recipe.logging_steps,
    evaluate: cadence(recipe.eval_steps, recipe.evals_per_epoch),
    save: cadence(recipe.save_steps, recipe.saves_per_epoch),
    saveLimit: recipe.save_total_limit,
    patience: recipe.early_stopping_patience,
    keepBest: recipe.load_best_model_at_end,
    samples: {
      prompts: recipe.sample_prompts.map(samplePrompt),
      maxTokens: recipe.sample_max_tokens,
      temperature: recipe.sample_temperature,
    },
    rollouts: rolloutJob(recipe),
    resumeFrom: recipe.resume_from_checkpoint,
  };
}

export function modelJob(recipe: ResolvedRecipe): ModelJob {
  return {
    adapter: adapterJob(recipe),
    objective: objectiveOptions(recipe),
    optimizer: optimizerOptions(recipe),
    balanceLoss: recipe.router_aux_loss_coef,
    quantization: quantizationOf(recipe),
    seed: recipe.seed,
  };
}

export function lengthOf(recipe: ResolvedRecipe): Job['length'] {
  return recipe.max_steps === null ? { epochs: recipe.num_epochs ?? 1 } : { steps: recipe.max_steps };
}

export function totalStepsOf(length: Job['length'], stepsPerEpoch: number): number {
  return 'steps' in length ? length.steps : Math.ceil(length.epochs * stepsPerEpoch);
}

/** Which documents each step has. */
export function stepOptions(recipe: ResolvedRecipe): StepOptions {
  if (recipe.trl) return promptOptions(recipe, recipe.trl.num_generations);
  return {
    sequenceLen: recipe.sequence_len,
    microBatchSize: recipe.micro_batch_size,
    gradientAccumulationSteps: recipe.gradient_accumulation_steps,
    samplePacking: recipe.sample_packing,
    shuffle: recipe.shuffle,
    seed: recipe.seed,
    ...(recipe.rl !== null && rowsOf(objectiveOptions(recipe))),
  };
}

/** A step of answers has a prompt for each group of them. */
function promptOptions(recipe: ResolvedRecipe, answers: number): StepOptions {
  return {
    sequenceLen: recipe.sequence_len,
    microBatchSize: (recipe.micro_batch_size * recipe.gradient_accumulation_steps) / answers,
    gradientAccumulationSteps: 1,
    samplePacking: false,
    shuffle: recipe.shuffle,
    seed: recipe.seed,
  };
}

function rowsOf(options: ObjectiveOptions): Pick<StepOptions, 'answersPerRow' | 'divergence'> {
  const { answersPerRow, divergence } = objectiveOf(options);
  return { answersPerRow, divergence };
}

export function samplePrompt(written: ResolvedRecipe['sample_prompts'][number], i: number): SamplePrompt {
  if (typeof written === 'string') return { messages: [{ role: 'user', content: written }], tools: null };
  if (!('tools' in written)) return { messages: written, tools: null };
  return { messages: written.messages, tools: toolDefinitions(written.tools, `sample_prompts[${i}].tools`) };
}

function adapterJob(recipe: ResolvedRecipe): AdapterJob | null {
  if (recipe.adapter === null) return null;
  return {
    options: {
      r: recipe.lora_r ?? loraDefaults.lora_r,
      alpha: recipe.lora_alpha ?? loraDefaults.lora_alpha,
      rslora: recipe.peft_use_rslora,
      dora: recipe.peft_use_dora,
      loraBias: recipe.peft_lora_bias,
      initialization: recipe.peft_init_lora_weights ?? 'plain',
      dropout: recipe.lora_dropout,
    },
    full: { modulesToSave: recipe.lora_modules_to_save ?? [], bias: recipe.peft_bias },
    targets: recipe.lora_target_modules ?? (recipe.lora_target_linear ? 'all-linear' : []),
    tokens: recipe.peft_trainable_token_indices ?? [],
    targetParameters: recipe.lora_target_parameters ?? [],
    initialFolder: recipe.lora_model_dir,
    written: outvotable.filter((key) => recipe[key] !== null),
  };
}

/** How the run holds the linears of the frozen model. */
export function quantizationOf({ load_in_4bit }: ResolvedRecipe): Quantization {
  return load_in_4bit ? 'nf4' : 'none';
}

/** bfloat16 pays where the processor multiplies it; elsewhere it would only lose precision. */
export function weightTypeOf(bf16: ResolvedRecipe['bf16'], device: Device): 'f32' | 'bf16' {
  const wanted = bf16 === 'auto' ? device.kind === 'cuda' || device.multipliesBf16 : bf16;
  return wanted ? 'bf16' : 'f32';
}

function cadence(steps: number | null, perEpoch: number | null): Cadence {
  return steps === null ? { perEpoch: perEpoch ?? 0 } : { steps };
}

/** Steps between two occasions; infinity where there are none before the end. */
export function interval(every: Cadence, stepsPerEpoch: number): number {
  if ('steps' in every) return every.steps;
  return every.perEpoch === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.round(stepsPerEpoch / every.perEpoch));
}
