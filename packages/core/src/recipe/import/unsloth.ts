import type { Recipe } from '../schema.ts';
import { intervals, optimizer, schedule, trainerRules } from './huggingFace.ts';
import {
  type Account,
  becomes,
  cannot,
  elsewhere,
  type Input,
  imply,
  isMapping,
  isOff,
  needless,
  newAccount,
  nothing,
  type Rule,
  type Rules,
  recipeShape,
  refuseTraining,
  renamed,
  type Translation,
  translateKeys,
} from './translate.ts';

/**
 * Unsloth's two files of one form, in sections: what Unsloth Studio saves of its training page, which names neither model
 * nor data nor method, and what `unsloth train --config` reads, which does.
 * (github.com/unslothai/unsloth: studio/frontend/src/features/training/lib/yaml-config.ts, unsloth_cli/config.py)
 * @throws UserError for a kind of training that Anneal does not have
 */
export function fromUnsloth(input: Input): Translation {
  const account = newAccount();
  const sections = Object.fromEntries(
    unslothSections.map((name) => [name, isMapping(input[name]) ? input[name] : {}]),
  ) as Record<(typeof unslothSections)[number], Input>;
  // Some keys depend on those of another section. What answers are like says nothing about how is trained.
  const { inference: _, ...ofTraining } = sections;
  const whole = Object.assign({}, ...Object.values(ofTraining)) as Input;
  const type = whole['training_type'];
  if (type !== undefined && type !== null && !['lora', 'full'].includes(String(type)))
    refuseTraining('training.training_type', type);
  const output: Input = {};
  for (const [key, value] of Object.entries(input)) {
    const section = unslothSections.find((name) => name === key);
    if (section === undefined) Object.assign(output, translateKeys(account, { [key]: value }, topRules, recipeShape));
    else if (isMapping(value)) Object.assign(output, translateSection(account, section, value, whole));
    else if (value === null) account.translated.push({ from: key, to: 'nothing', note: 'empty' });
    else account.untranslated.push({ key, value, reason: 'not a mapping' });
  }
  const datasets = datasetsOf(sections.data);
  if (datasets.length > 0) output['datasets'] = datasets;

  if (!('adapter' in output)) {
    const note =
      'model' in input ? theirs : 'the file does not say how it trains: qlora is what Unsloth Studio begins with';
    imply(account, output, 'adapter', whole['load_in_4bit'] === false ? 'lora' : 'qlora', note);
  }
  imply(account, output, 'excess_length_strategy', 'truncate', 'Unsloth cuts rows that are too long');
  if (whole['train_on_completions'] === undefined) imply(account, output, 'train_on_inputs', true, theirs);
  if ('model' in input) implyCommand(account, output);
  return { recipe: output as Partial<Recipe>, ...account };
}

export const unslothSections = ['data', 'training', 'lora', 'logging', 'inference'] as const;
const theirs = "Unsloth's default";

function translateSection(account: Account, section: string, value: Input, whole: Input): Input {
  const rules = Object.entries(unslothRules).map(([key, rule]): [string, Rule] => [key, (given) => rule(given, whole)]);
  const known = section === 'inference' ? inferenceRules(value) : Object.fromEntries(rules);
  return translateKeys(account, value, known, recipeShape, { prefix: `${section}.` });
}

/** What `unsloth train` does without the keys. */
function implyCommand(account: Account, output: Input): void {
  if (output['adapter'] !== null) {
    imply(account, output, 'lora_r', 64, theirs);
    imply(account, output, 'lora_alpha', 16, theirs);
    if (!('lora_target_modules' in output) && !('lora_target_linear' in output)) {
      imply(account, output, 'lora_target_linear', true, theirs);
    }
  }
  imply(account, output, 'sequence_len', 2048, theirs);
  imply(account, output, 'micro_batch_size', 2, theirs);
  imply(account, output, 'gradient_accumulation_steps', 4, theirs);
  if (!('max_steps' in output)) imply(account, output, 'num_epochs', 3, theirs);
  imply(account, output, 'learning_rate', 2e-4, theirs);
  imply(account, output, 'lr_scheduler', 'linear', theirs);
  if (!('warmup_ratio' in output)) imply(account, output, 'warmup_steps', 5, theirs);
  imply(account, output, 'weight_decay', 0.01, theirs);
  imply(account, output, 'optimizer', 'adamw_8bit', theirs);
  imply(account, output, 'seed', 3407, theirs);
}

const formats: Readonly<Record<string, string>> = {
  auto: 'auto',
  alpaca: 'alpaca',
  chatml: 'chat_template',
  sharegpt: 'sharegpt',
  raw: 'completion',
};

/** The keys of `data` make the data sets together. */
function datasetsOf(data: Input): Input[] {
  const format = formats[String(data['format_type'] ?? 'auto')];
  const paths = [...listOf(data['local_dataset']), ...listOf(data['dataset'])];
  return paths.map((path) => ({ path, type: format ?? 'auto' }));
}

/** A list, or names with commas between them. */
function listOf(value: unknown): string[] {
  const names = Array.isArray(value) ? value : typeof value === 'string' ? value.split(',') : [];
  return names.flatMap((name) => (typeof name === 'string' && name.trim() !== '' ? [name.trim()] : []));
}

const dataset: Rule = (value) =>
  listOf(value).length > 0
    ? elsewhere('goes to datasets', 'name it below `datasets` as `path`')
    : cannot('names no data set: write it below datasets');

const isFull = (input: Input) => input['training_type'] === 'full';

const adapterOnly =
  (rule: Rule): Rule =>
  (value, input) =>
    isFull(input) ? nothing('has no effect in full fine-tuning') : rule(value, input);

/** Those that Unsloth trains in full wherever they are named. */
const outer = new Set(['embed_tokens', 'lm_head']);

const targetModules: Rule = (value) => {
  const names = listOf(value);
  if (names.length === 0) return becomes({ lora_target_linear: true }, 'without names Unsloth takes all linears');
  if (names.includes('all-linear')) return becomes({ lora_target_linear: true });
  const [full, adapted] = [names.filter((name) => outer.has(name)), names.filter((name) => !outer.has(name))];
  return becomes({
    ...(adapted.length > 0 && { lora_target_modules: adapted }),
    ...(full.length > 0 && { lora_modules_to_save: full }),
  });
};

const checkpointing: Rule = (value) => {
  const word = String(value).toLowerCase();
  if (word === 'unsloth') return becomes({ activations: 'auto' }, 'whatever is fastest in the memory there is');
  if (['true', '1', 'yes', 'mlx'].includes(word)) return becomes({ activations: 'recompute' });
  return ['false', '0', 'no', 'none', 'off'].includes(word)
    ? becomes({ activations: 'keep' })
    : cannot('choose activations yourself');
};

/** Unsloth reads them of models with images alone. */
const partOf =
  (part: string): Rule =>
  (value) =>
    value === true
      ? nothing('the targets decide')
      : cannot(`only models with images read it there; leave ${part} out of lora_target_modules`);

const counts = intervals('num_epochs');
const off = (key: string, doing: string, rule: Rule | undefined): Rule =>
  function orNone(value, input) {
    if (value === 0) return becomes({ [key]: 0 }, `Anneal still ${doing} at the end`);
    return rule?.(value, input) ?? cannot('Anneal does not have it');
  };

const topRules: Rules = { model: renamed('base_model') };

/** All sections but `inference`, whose keys are none of training. */
export const unslothRules: Rules = {
  ...trainerRules,
  ...schedule('lr_scheduler_type', 'linear'),
  ...optimizer('optim'),
  dataset,
  local_dataset: dataset,
  format_type: (value) =>
    Object.hasOwn(formats, String(value))
      ? elsewhere('is the type of the data sets', `give each data set \`type: ${formats[String(value)]}\``)
      : cannot('give each data set its type'),
  training_type: (value, input) =>
    becomes({ adapter: value === 'full' ? null : input['load_in_4bit'] === false ? 'lora' : 'qlora' }),
  load_in_4bit: (value, input) =>
    value === true && !isFull(input) ? becomes({ load_in_4bit: true }) : nothing('weights of 16 bits'),
  max_seq_length: renamed('sequence_len'),
  num_epochs: (value, input) =>
    Number(input['max_steps']) > 0 ? nothing('max_steps decides') : becomes({ num_epochs: value }),
  batch_size: renamed('micro_batch_size'),
  random_seed: renamed('seed'),
  packing: renamed('sample_packing'),
  train_on_completions: (value) => becomes({ train_on_inputs: value !== true }),
  gradient_checkpointing: checkpointing,
  embedding_learning_rate: (value, input) =>
    listOf(input['target_modules']).some((name) => outer.has(name))
      ? becomes({ embedding_lr: value })
      : nothing('neither embedding nor output layer is trained'),
  eval_steps: off('evals_per_epoch', 'measures', counts['eval_steps']),
  save_steps: off('saves_per_epoch', 'saves', counts['save_steps']),
  vision_image_size: () => cannot('Anneal trains the text model alone'),
  lora_r: adapterOnly(renamed('lora_r')),
  lora_alpha: adapterOnly(renamed('lora_alpha')),
  lora_dropout: adapterOnly(renamed('lora_dropout')),
  target_modules: adapterOnly(targetModules),
  vision_all_linear: adapterOnly(isOff(() => becomes({ lora_target_linear: true }))),
  use_rslora: adapterOnly(isOff(() => becomes({ peft_use_rslora: true }))),
  use_dora: adapterOnly(isOff(() => becomes({ peft_use_dora: true }))),
  use_loftq: adapterOnly(isOff(() => becomes({ peft_init_lora_weights: 'loftq' }))),
  finetune_vision_layers: () => nothing('Anneal trains the text model alone'),
  finetune_language_layers: partOf('those of the language model'),
  finetune_attention_modules: partOf('those of attention'),
  finetune_mlp_modules: partOf('those of the MLP'),
  ...needless('Anneal reports to its own run folder', [
    'enable_wandb',
    'wandb_project',
    'wandb_token',
    'enable_tensorboard',
    'tensorboard_dir',
  ]),
  ...needless('every step is logged unless logging_steps says otherwise', ['log_frequency']),
  ...needless('`anneal secrets` keeps it', ['hf_token']),
};

/** How one talks to the model afterwards. */
function inferenceRules(section: Input): Rules {
  return needless('of talking to the model: chosen in the chat', Object.keys(section));
}
