import { UserError } from '../errors.ts';
import type { JsonObject } from '../json.ts';
import { isJsonObject } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { BIASES, type Bias, type Initialization, type LoraConfig } from './config.ts';
import { EXPERT_PARAMETERS } from './experts.ts';
import { checkPattern } from './pattern.ts';

/**
 * Fields whose every value is fine: they describe the training, or matter only together with a field refused below.
 * A field that is neither here, nor read, nor empty is refused, since a newer PEFT may have given it a meaning.
 */
const WITHOUT_EFFECT = new Set([
  'auto_mapping',
  'eva_config',
  'exclude_modules',
  'inference_mode',
  'layers_pattern',
  'layers_to_transform',
  'megatron_core',
  'peft_type',
  'peft_version',
  'qalora_group_size',
  'runtime_config',
]);

const READ = new Set([
  'task_type',
  'r',
  'lora_alpha',
  'use_rslora',
  'use_dora',
  'lora_bias',
  'lora_dropout',
  'target_modules',
  'target_parameters',
  'trainable_token_indices',
  'rank_pattern',
  'alpha_pattern',
  'base_model_name_or_path',
  'revision',
  'init_lora_weights',
  'loftq_config',
  'bias',
  'modules_to_save',
  'ensure_weight_tying',
]);

/** Kinds of PEFT that put something before the prompt or beside a layer: there are no weights that they could be merged into. */
const NOT_MERGEABLE = new Set<unknown>([
  'PREFIX_TUNING',
  'PROMPT_TUNING',
  'P_TUNING',
  'MULTITASK_PROMPT_TUNING',
  'ADAPTION_PROMPT',
  'CARTRIDGE',
  'CPT',
  'XLORA',
  'POLY',
]);

/** With these PEFT refuses to merge: what is added depends on the text, or layers of the base are used more than once. */
const KEEPS_FROM_MERGING = new Set(['alora_invocation_tokens', 'arrow_config', 'layer_replication']);

/** Initializations that leave the base model as it was. Others (OLoRA, CorDA …) subtract from its weights. */
const PLAIN_INITIALIZATIONS = new Set<unknown>([undefined, null, true, false, 'gaussian', 'eva', 'orthogonal']);

const TASK_TYPES = ['CAUSAL_LM', 'SEQ_CLS'] as const;

/** @throws UserError naming the field that is wrong or cannot be honored */
export function parseLoraConfig(json: JsonObject, where: string): LoraConfig {
  if (typeof json.peft_type !== 'string')
    throw wrong('peft_type', json.peft_type, 'the kind of adapter, as "LORA"', where);
  if (json.peft_type !== 'LORA')
    throw unsupported('peft_type', json.peft_type, where, NOT_MERGEABLE.has(json.peft_type));
  for (const [field, value] of Object.entries(json)) {
    if (!READ.has(field) && !WITHOUT_EFFECT.has(field) && !isEmpty(value)) {
      throw unsupported(field, value, where, KEEPS_FROM_MERGING.has(field));
    }
  }
  return {
    r: rank(json.r ?? 8, 'r', where), // 8 is PEFT's default for both
    loraAlpha: number(json.lora_alpha ?? 8, 'lora_alpha', where),
    useRslora: boolean(json.use_rslora ?? false, 'use_rslora', where),
    useDora: boolean(json.use_dora ?? false, 'use_dora', where),
    loraBias: boolean(json.lora_bias ?? false, 'lora_bias', where),
    loraDropout: probability(json.lora_dropout ?? 0, 'lora_dropout', where),
    bias: bias(json.bias ?? 'none', where),
    modulesToSave: modulesToSave(json.modules_to_save ?? [], where),
    ensureWeightTying: boolean(json.ensure_weight_tying ?? false, 'ensure_weight_tying', where),
    targetModules: targetModules(json.target_modules, where),
    targetParameters: targetParameters(json.target_parameters ?? [], where),
    rankPattern: pattern(json.rank_pattern, 'rank_pattern', rank, where),
    alphaPattern: pattern(json.alpha_pattern, 'alpha_pattern', number, where),
    trainableTokens: trainableTokens(json.trainable_token_indices ?? [], where),
    initialization: initialization(json, where),
    taskType: taskType(json.task_type ?? 'CAUSAL_LM', where),
    baseModel: optionalString(json.base_model_name_or_path, 'base_model_name_or_path', where),
    revision: optionalString(json.revision, 'revision', where),
  };
}

/** What PiSSA of few iterations begins with is chance, and LoftQ of several leaves another base than NF4 does. */
function initialization(
  { init_lora_weights: value, loftq_config: loftq, use_dora: dora, lora_bias: loraBias }: JsonObject,
  where: string,
): Initialization {
  if (PLAIN_INITIALIZATIONS.has(value)) return 'plain';
  if (dora === true || loraBias === true) throw unsupported('init_lora_weights', value, where);
  if (value === 'pissa') return value;
  if (value !== 'loftq') throw unsupported('init_lora_weights', value, where);
  const { loftq_bits: bits = 4, loftq_iter: iterations = 1 } = isJsonObject(loftq) ? loftq : {};
  if (bits !== 4 || iterations !== 1) throw unsupported('loftq_config', loftq, where);
  return value;
}

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === null || value === false || (isJsonObject(value) && Object.keys(value).length === 0);
}

function targetModules(value: unknown, where: string): readonly string[] | string {
  if (typeof value === 'string' && value.length <= LIMITS.patternCharacters) return value;
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw wrong('target_modules', value, 'a list of names or a regular expression', where);
}

function targetParameters(value: unknown, where: string): readonly string[] {
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string'))
    throw wrong('target_parameters', value, 'a list of names', where);
  const known: readonly unknown[] = EXPERT_PARAMETERS;
  if (!value.every((name) => known.includes(name.split('.').at(-1)))) {
    throw unsupported('target_parameters', value, where);
  }
  return value;
}

function isId(id: unknown): id is number {
  return Number.isInteger(id) && (id as number) >= 0;
}

/** A list, or a map with one of them for the embedding. */
function trainableTokens(value: unknown, where: string): readonly number[] {
  const field = 'trainable_token_indices';
  if (isJsonObject(value)) {
    const [name = '', ...others] = Object.keys(value);
    if (others.length > 0 || name.split('.').at(-1) !== 'embed_tokens') throw unsupported(field, value, where);
    return trainableTokens(value[name], where);
  }
  const ids = Array.isArray(value) ? (value as unknown[]) : [null];
  if (!ids.every(isId) || new Set(ids).size < ids.length)
    throw wrong(field, value, 'a list of different token ids', where);
  return ids;
}

function bias(value: unknown, where: string): Bias {
  const known = BIASES.find((each) => each === value);
  if (known === undefined) throw wrong('bias', value, BIASES.join(', '), where);
  return known;
}

function modulesToSave(value: unknown, where: string): readonly string[] {
  if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
  throw wrong('modules_to_save', value, 'a list of names', where);
}

function pattern(
  value: unknown,
  field: string,
  parse: (value: unknown, field: string, where: string) => number,
  where: string,
): Readonly<Record<string, number>> {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) throw wrong(field, value, 'a map from names to numbers', where);
  for (const key of Object.keys(value)) checkPattern(key, `${where}: ${field}`);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, parse(item, `${field}.${key}`, where)]));
}

function rank(value: unknown, field: string, where: string): number {
  const valid = Number.isInteger(value) && (value as number) > 0 && (value as number) <= LIMITS.loraRank;
  if (!valid) throw wrong(field, value, `a whole number from 1 to ${LIMITS.loraRank}`, where);
  return value as number;
}

function number(value: unknown, field: string, where: string): number {
  // It is computed with in float32.
  const isHeld =
    typeof value === 'number' && Number.isFinite(Math.fround(value)) && (value === 0) === (Math.fround(value) === 0);
  if (!isHeld) throw wrong(field, value, 'a number that float32 can hold', where);
  return value;
}

function probability(value: unknown, field: string, where: string): number {
  if (typeof value !== 'number' || !(value >= 0 && value <= 1)) throw wrong(field, value, 'from 0 to 1', where);
  return value;
}

function taskType(value: unknown, where: string): LoraConfig['taskType'] {
  const found = TASK_TYPES.find((known) => known === value);
  if (found === undefined) throw unsupported('task_type', value, where);
  return found;
}

function boolean(value: unknown, field: string, where: string): boolean {
  if (typeof value !== 'boolean') throw wrong(field, value, 'true or false', where);
  return value;
}

function optionalString(value: unknown, field: string, where: string): string | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrong(field, value, 'a string', where);
  return value;
}

function unsupported(field: string, value: unknown, where: string, notMergeable = false): UserError {
  return new UserError({
    what: `${field} is ${JSON.stringify(value)?.slice(0, 200)}, which Anneal does not support`,
    where,
    next: notMergeable
      ? 'not even PEFT can merge it: use it with PEFT itself, or train a LoRA adapter in its place'
      : 'merge this adapter into its base model with PEFT (merge_and_unload) and start from the result',
    code: 'adapter_field_unsupported',
  });
}

function wrong(field: string, value: unknown, wanted: string, where: string): UserError {
  return new UserError({
    what: `${field} should be ${wanted}, but is ${JSON.stringify(value)?.slice(0, 200) ?? 'missing'}`,
    where,
    next: 'save the adapter again with PEFT',
    code: 'adapter_config_invalid',
  });
}
