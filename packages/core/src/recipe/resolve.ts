import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import type * as z from 'zod';
import { isTemplateName, TEMPLATE_NAMES } from '../templates/templateNames.ts';
import { InvalidRecipe, type KeyPath, type Location, type RecipeProblem, unlocated } from './problem.ts';
import { type ResolvedDataset, resolveDataset } from './resolveDataset.ts';
import { type ResolvedOptimization, resolveOptimization } from './resolveOptimization.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { loraDefaults } from './sections/adapter.ts';
import { preference, preferenceDefaults } from './sections/preference.ts';

type Filled = z.output<typeof recipeSchema>;

/** Keys that are decided, with a value in the place of null. */
type Chosen<K extends keyof Filled> = { [Key in K]: NonNullable<Filled[Key]> };
type Unset<T> = { [Key in keyof T]: null };

type LoraSettings = Chosen<'lora_dropout' | 'peft_use_rslora' | 'peft_use_dora' | 'peft_lora_bias' | 'peft_bias'> &
  Pick<
    Filled,
    // null beside `lora_model_dir`, whose adapter has its own.
    | 'lora_r'
    | 'lora_alpha'
    | 'lora_target_modules'
    | 'lora_target_parameters'
    | 'peft_trainable_token_indices'
    | 'lora_modules_to_save'
    | 'lora_model_dir'
    | 'peft_init_lora_weights'
  > & {
    /**
     * Every linear layer of the blocks; false where `lora_target_modules` lists them, or experts alone get an adapter. null where that
     * of `lora_model_dir` has its own.
     */
    lora_target_linear: boolean | null;
  };

type AdapterSettings =
  | ({ adapter: NonNullable<Filled['adapter']>; load_in_4bit: boolean } & LoraSettings)
  | ({ adapter: null; load_in_4bit: false } & Unset<LoraSettings>);

/**
 * Of `num_epochs` and `max_steps`, of `eval_steps` and `evals_per_epoch`, and of `save_steps` and `saves_per_epoch` exactly one is
 * a number.
 */
type Decided = AdapterSettings &
  ResolvedOptimization &
  Chosen<'val_set_size' | 'load_best_model_at_end'> & {
    trl: ResolvedRollouts | null;
    datasets: ResolvedDataset[];
    test_datasets: ResolvedDataset[] | null;
  };

/** Of `rl: grpo`. */
export type ResolvedRollouts = NonNullable<Filled['trl']> & { generation_batch_size: number; epsilon_high: number };

export type PreferenceKey = Exclude<keyof typeof preference, 'rl'>;

type DistributiveKeys<T> = T extends unknown ? keyof T : never;

/** A recipe in which nothing is left to a default: every key present, paths absolute, one spelling for each thing. */
export type ResolvedRecipe = Omit<Filled, DistributiveKeys<Decided>> & Decided;

export interface ResolveOptions {
  /** Where relative paths start: the folder of the recipe. */
  baseDirectory: string;
  /** Where a key was written, for errors about files that are not there. */
  locate?: (path: KeyPath) => Location;
  exists?: (path: string) => boolean;
}

/**
 * Decides every default. Resolving what came out changes nothing.
 * @throws InvalidRecipe for files that the recipe names and that do not exist
 */
export function resolveRecipe(recipe: Recipe, options: ResolveOptions): ResolvedRecipe {
  const { baseDirectory, exists = existsSync, locate = unlocated } = options;
  const filled = recipeSchema.parse(recipe);
  const problems: RecipeProblem[] = [];
  const absolute = (path: string) => absolutePath(path, baseDirectory);
  const existing = (path: string, key: KeyPath, next: string) => {
    const full = absolute(path);
    if (!exists(full)) {
      problems.push({ path: key, code: 'missing_file', what: `${full} does not exist`, next, ...locate(key) });
    }
    return full;
  };
  const refuse = (path: KeyPath, what: string, next: string) =>
    problems.push({ path, code: 'impossible_combination', what, next, ...locate(path) });
  const place = { absolute, exists: (path: string) => exists(absolute(path)), existing, refuse };
  const optionalFile = (key: 'lora_model_dir' | 'resume_from_checkpoint', next: string) =>
    filled[key] === null ? null : existing(filled[key], [key], next);
  const datasets = (key: 'datasets' | 'test_datasets') =>
    (filled[key] ?? []).map((dataset, i) => resolveDataset(dataset, [key, i], place));

  const resolved: ResolvedRecipe = {
    ...filled,
    base_model: modelNamed(filled.base_model, ['base_model'], place),
    chat_template:
      filled.chat_template === 'tokenizer_default' || isTemplateName(filled.chat_template)
        ? filled.chat_template
        : existing(
            filled.chat_template,
            ['chat_template'],
            `name a Jinja file, or write tokenizer_default, ${TEMPLATE_NAMES.join(', ')}`,
          ),
    ...preferenceSettings(filled),
    trl: rolloutSettings(filled, {
      file: (path, i) => existing(path, ['trl', 'reward_funcs', i], 'name a TypeScript file with the function'),
      model: (name, i) => modelNamed(name, ['trl', 'reward_funcs', i, 'model'], place),
    }),
    ...adapterSettings(filled, optionalFile('lora_model_dir', 'name the folder of a PEFT adapter')),
    datasets: datasets('datasets'),
    test_datasets: filled.test_datasets === null ? null : datasets('test_datasets'),
    val_set_size: filled.val_set_size ?? 0,
    ...runLength(filled),
    ...resolveOptimization(filled, refuse),
    evals_per_epoch: filled.eval_steps === null ? (filled.evals_per_epoch ?? 1) : null,
    saves_per_epoch: filled.save_steps === null ? (filled.saves_per_epoch ?? 1) : null,
    load_best_model_at_end: filled.load_best_model_at_end ?? filled.early_stopping_patience !== null,
    output_dir: absolute(filled.output_dir),
    resume_from_checkpoint: optionalFile('resume_from_checkpoint', 'name a checkpoint-N folder of a run'),
  };
  if (problems.length > 0) throw new InvalidRecipe(problems);
  return resolved;
}

function adapterSettings(filled: Filled, loraModelDir: string | null): AdapterSettings {
  if (filled.adapter === null) {
    return {
      adapter: null,
      load_in_4bit: false,
      lora_r: null,
      lora_alpha: null,
      lora_dropout: null,
      lora_target_linear: null,
      lora_target_modules: null,
      lora_target_parameters: null,
      peft_use_rslora: null,
      peft_use_dora: null,
      peft_lora_bias: null,
      peft_init_lora_weights: null,
      lora_modules_to_save: null,
      peft_trainable_token_indices: null,
      peft_bias: null,
      lora_model_dir: null,
    };
  }
  const fresh = <T>(value: T): T | null => (loraModelDir === null ? value : null);
  return {
    adapter: filled.adapter,
    load_in_4bit: filled.adapter === 'qlora',
    lora_r: filled.lora_r ?? fresh(loraDefaults.lora_r),
    lora_alpha: filled.lora_alpha ?? fresh(loraDefaults.lora_alpha),
    lora_dropout: filled.lora_dropout ?? loraDefaults.lora_dropout,
    lora_target_linear: filled.lora_target_linear ?? (filled.lora_target_modules === null ? fresh(true) : false),
    lora_target_modules: filled.lora_target_modules,
    lora_target_parameters: filled.lora_target_parameters,
    peft_use_rslora: filled.peft_use_rslora ?? loraDefaults.peft_use_rslora,
    peft_use_dora: filled.peft_use_dora ?? loraDefaults.peft_use_dora,
    peft_lora_bias: filled.peft_lora_bias ?? loraDefaults.peft_lora_bias,
    peft_init_lora_weights: filled.peft_init_lora_weights,
    lora_modules_to_save: filled.lora_modules_to_save,
    peft_trainable_token_indices: filled.peft_trainable_token_indices,
    peft_bias: filled.peft_bias ?? loraDefaults.peft_bias,
    lora_model_dir: loraModelDir,
  };
}

/** The keys that the kind of training reads, with their defaults; the others have no meaning and are null. */
function preferenceSettings(filled: Filled): Pick<Filled, PreferenceKey> {
  const defaults: Partial<Record<string, unknown>> = filled.rl === null ? {} : preferenceDefaults[filled.rl];
  const keys = Object.keys(preference).filter((key) => key !== 'rl') as PreferenceKey[];
  return Object.fromEntries(keys.map((key) => [key, filled[key] ?? defaults[key] ?? null])) as Pick<
    Filled,
    PreferenceKey
  >;
}

function rolloutSettings(
  { trl, micro_batch_size, gradient_accumulation_steps }: Filled,
  place: Readonly<Record<'file' | 'model', (named: string, i: number) => string>>,
): ResolvedRollouts | null {
  if (trl === null) return null;
  const answers = micro_batch_size * gradient_accumulation_steps;
  return {
    ...trl,
    reward_funcs: trl.reward_funcs.map((reward, i) => {
      if (typeof reward === 'string') return place.file(reward, i);
      return reward.type === 'reward_model' ? { ...reward, model: place.model(reward.model, i) } : reward;
    }),
    generation_batch_size: Math.min(trl.generation_batch_size ?? answers, answers),
    epsilon_high: trl.epsilon_high ?? trl.epsilon,
  };
}

function runLength({ num_epochs, max_steps }: Filled): Pick<Filled, 'num_epochs' | 'max_steps'> {
  return { num_epochs: max_steps === null ? (num_epochs ?? 1) : null, max_steps };
}

/** A file or folder where one is meant or is there; otherwise a name of a hub, left as it is. */
function modelNamed(
  name: string,
  key: KeyPath,
  {
    absolute,
    exists,
    existing,
  }: {
    readonly absolute: (path: string) => string;
    readonly exists: (path: string) => boolean;
    readonly existing: (path: string, key: KeyPath, next: string) => string;
  },
): string {
  const meansPath = /^[./~]/.test(name) || isAbsolute(name) || name.toLowerCase().endsWith('.gguf');
  if (meansPath) return existing(name, key, 'correct the path, or write a Hugging Face name such as Qwen/Qwen3-4B');
  return exists(name) ? absolute(name) : name;
}

function absolutePath(path: string, baseDirectory: string): string {
  const expanded = path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
  return resolve(baseDirectory, expanded);
}
