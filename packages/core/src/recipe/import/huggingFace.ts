import { type OptimizerName, optimizerDefaults, optimizerKeys } from '../sections/optimizers.ts';
import { type ScheduleName, scheduleDefaults } from '../sections/schedule.ts';
import {
  type Account,
  becomes,
  cannot,
  type Input,
  imply,
  isMapping,
  isOff,
  missing,
  needless,
  nothing,
  type Outcome,
  type Rule,
  type Rules,
} from './translate.ts';

/** What Axolotl and LLaMA-Factory both hand on to Hugging Face's Trainer, under the same names. */

const optimizers: Record<string, OptimizerName> = {
  adamw_torch: 'adamw_torch',
  adamw_torch_fused: 'adamw_torch',
  adamw_hf: 'adamw_torch',
  adamw_apex_fused: 'adamw_torch',
  paged_adamw_32bit: 'adamw_torch',
  paged_adamw: 'adamw_torch',
  adamw_8bit: 'adamw_8bit',
  adamw_bnb_8bit: 'adamw_8bit',
  paged_adamw_8bit: 'adamw_8bit',
  lion_32bit: 'lion',
  lion_pytorch: 'lion',
  paged_lion_32bit: 'lion',
  adafactor: 'adafactor',
  muon: 'muon',
  schedule_free_adamw: 'schedule_free_adamw',
};

/** Keys of the optimizer. */
export function optimizer(optimizerKey: string): Rules {
  return {
    [optimizerKey]: (value) => {
      const ours = optimizers[String(value)];
      if (ours === undefined) return cannot('Anneal does not have it; the default, adamw_torch, is used instead');
      return becomes({ optimizer: ours }, String(value).startsWith('paged') ? 'without paging' : undefined);
    },
    ...Object.fromEntries(
      optimizerKeys.map((key): [string, Rule] => [
        key,
        (value, input) => {
          const ours = optimizers[String(input[optimizerKey])] ?? 'adamw_torch';
          return key in optimizerDefaults[ours] ? becomes({ [key]: value }) : nothing(`${ours} does not read it`);
        },
      ]),
    ),
  };
}

/** The Trainer gives every optimizer AdamW's betas. */
export function implyBetas(account: Account, output: Input): void {
  if (output['optimizer'] === 'lion') imply(account, output, 'adam_beta2', 0.999, "the Trainer's default");
}

/** Keys of the learning rate; `standard`: the schedule without `scheduleKey`. */
export function schedule(scheduleKey: string, standard: ScheduleName): Rules {
  const nameIn = (input: Input) => (input[scheduleKey] ?? standard) as ScheduleName;
  return {
    [scheduleKey]: (value) =>
      isSchedule(value)
        ? becomes({ lr_scheduler: value })
        : cannot('Anneal has no such schedule; choose lr_scheduler yourself'),
    lr_scheduler_kwargs: (value, input) => scheduleArguments(value, nameIn(input)),
    ...warmup((input) => nameIn(input) === 'constant'),
  };
}

function isSchedule(value: unknown): value is ScheduleName {
  return typeof value === 'string' && Object.hasOwn(scheduleDefaults, value);
}

/** A mapping, or one as JSON. The Trainer does not hand it on to constant schedules. */
function scheduleArguments(value: unknown, name: ScheduleName): Outcome {
  const given = typeof value === 'string' ? parsedJson(value) : value;
  if (!isMapping(given)) return cannot('not a mapping');
  if (Object.keys(given).length === 0) return nothing('empty');
  if (!isSchedule(name)) return cannot('it belongs to a schedule that Anneal does not have');
  if (name.startsWith('constant')) return nothing('a constant schedule reads none');
  const unread = Object.keys(given).filter((key) => !Object.hasOwn(scheduleDefaults[name], key));
  return unread.length === 0
    ? becomes({ lr_scheduler_kwargs: given })
    : cannot(`\`${name}\` does not read ${unread.join(', ')}`);
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The Trainer ignores a warm-up with `constant`, and a ratio when steps are given; Anneal refuses both. */
function warmup(constant: (input: Input) => boolean): Rules {
  return {
    warmup_steps: (value, input) => {
      if (constant(input)) return nothing('a constant schedule has no warm-up');
      const fraction = typeof value === 'number' && value > 0 && value < 1;
      if (value === 0 && typeof input['warmup_ratio'] === 'number') return nothing('warmup_ratio decides');
      return fraction ? becomes({ warmup_ratio: value }) : becomes({ warmup_steps: value });
    },
    warmup_ratio: (value, input) => {
      if (constant(input)) return nothing('a constant schedule has no warm-up');
      return Number(input['warmup_steps']) > 0 ? nothing('warmup_steps decides') : becomes({ warmup_ratio: value });
    },
  };
}

/** A number below 1 is a share of all steps there; Anneal counts in steps or times an epoch. */
function interval(stepsKey: string, perEpochKey: string, strategyKeys: string[], epochsKey: string): Rule {
  return (value, input) => {
    if (strategyKeys.some((key) => input[key] === 'no' || input[key] === 'epoch' || input[key] === false)) {
      return nothing(`${strategyKeys[0]} decides`);
    }
    if (typeof value !== 'number' || value >= 1) return becomes({ [stepsKey]: value });
    const times = 1 / (value * Number(input[epochsKey] ?? 1));
    const whole = Math.round(times);
    const share = value > 0 && Math.abs(times - whole) < 1e-6 && !(Number(input['max_steps']) > 0);
    return share
      ? becomes({ [perEpochKey]: whole }, `${value} of all steps is ${whole} times an epoch`)
      : cannot(`a share of all steps; write ${stepsKey} or ${perEpochKey}`);
  };
}

function strategy(perEpochKey: string, doing: string): Rule {
  return (value) => {
    if (value === 'epoch') return becomes({ [perEpochKey]: 1 });
    if (value === 'steps') return nothing('the number of steps decides');
    if (value === 'no' || value === false) return becomes({ [perEpochKey]: 0 }, `Anneal still ${doing} at the end`);
    return cannot(`write ${perEpochKey}`);
  };
}

export function intervals(epochsKey: string): Rules {
  const evalStrategies = ['eval_strategy', 'evaluation_strategy'];
  return {
    eval_strategy: strategy('evals_per_epoch', 'measures'),
    evaluation_strategy: strategy('evals_per_epoch', 'measures'),
    eval_steps: interval('eval_steps', 'evals_per_epoch', evalStrategies, epochsKey),
    save_strategy: strategy('saves_per_epoch', 'saves'),
    save_steps: interval('save_steps', 'saves_per_epoch', ['save_strategy'], epochsKey),
    logging_strategy: (value) =>
      value === 'steps' ? nothing('as in Anneal') : cannot('Anneal logs every logging_steps'),
  };
}

const metric: Rule = (value) =>
  value === 'eval_loss' || value === 'loss'
    ? nothing('the validation loss, as in Anneal')
    : cannot('Anneal compares checkpoints by validation loss');

const resume: Rule = (value) =>
  typeof value === 'string'
    ? becomes({ resume_from_checkpoint: value }, 'must be a checkpoint that Anneal wrote')
    : cannot('name the checkpoint folder, or use `anneal runs resume`');

/** Same name, same meaning. */
export function plain(keys: readonly string[]): Rules {
  return Object.fromEntries(keys.map((key) => [key, (value: unknown) => becomes({ [key]: value })]));
}

export const trainerRules: Rules = {
  ...plain([
    'gradient_accumulation_steps',
    'learning_rate',
    'weight_decay',
    'max_grad_norm',
    'neftune_noise_alpha',
    'logging_steps',
    'save_total_limit',
    'load_best_model_at_end',
    'seed',
    'output_dir',
  ]),
  max_steps: (value) => (Number(value) > 0 ? becomes({ max_steps: value }) : nothing('the number of epochs decides')),
  metric_for_best_model: metric,
  greater_is_better: isOff(() => cannot('Anneal takes the lowest validation loss')),
  resume_from_checkpoint: isOff(resume),
  ...missing('Anneal trains in bfloat16 or float32', ['fp16', 'float16']),
  ...needless('Anneal counts every batch as packed tokens: there is no padding to save', [
    'group_by_length',
    'pad_to_sequence_len',
    'dataloader_drop_last',
  ]),
  ...needless('Anneal evaluates in packed rows of its own choice', [
    'eval_batch_size',
    'per_device_eval_batch_size',
    'eval_accumulation_steps',
  ]),
  ...needless('Anneal loads data in a worker of its own', [
    'dataloader_num_workers',
    'dataloader_pin_memory',
    'dataloader_prefetch_factor',
    'preprocessing_num_workers',
    'dataset_processes',
    'remove_unused_columns',
  ]),
  ...needless('Anneal always writes safetensors', ['save_safetensors']),
  ...needless('decided by the kernels: attention never crosses documents and never holds the score matrix', [
    'flash_attention',
    'sdp_attention',
    'xformers_attention',
    'flex_attention',
    'eager_attention',
    'flash_attn',
    'attn_implementation',
  ]),
  ...needless('concerns the speed of PyTorch only', [
    'tf32',
    'torch_compile',
    'torch_compile_backend',
    'use_liger_kernel',
    'enable_liger_kernel',
    'gradient_checkpointing_kwargs',
    'low_cpu_mem_usage',
    'include_tokens_per_second',
    'include_num_input_tokens_seen',
    'ddp_timeout',
    'ddp_find_unused_parameters',
    'local_rank',
  ]),
  ...needless('the order of rows follows from `seed`, as everything random does', ['data_seed']),
  ...needless('Anneal reports to its own run folder', [
    'report_to',
    'run_name',
    'push_to_hub',
    'hub_model_id',
    'hub_token',
    'hub_strategy',
  ]),
  ...missing('Anneal trains on one device for now', ['deepspeed', 'fsdp', 'fsdp_config', 'tensor_parallel_size']),
  ...missing('nothing that came as data is executed', ['trust_remote_code']),
  ...missing('not in Anneal', ['loraplus_lr_ratio', 'loraplus_lr_embedding', 'auto_find_batch_size']),
};
