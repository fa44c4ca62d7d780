import type { Recipe } from '../schema.ts';
import { implyBetas, intervals, optimizer, schedule, trainerRules } from './huggingFace.ts';
import { type DatasetInfo, llamaFactoryDatasets } from './llamaFactoryDatasets.ts';
import {
  hasPreferenceLoss,
  implyPreferences,
  lossOf,
  preferenceKind,
  preferenceRules,
  preferenceStage,
  unlessPreferred,
} from './llamaFactoryPreferences.ts';
import { withoutCounterpart } from './llamaFactoryWithoutCounterpart.ts';
import {
  becomes,
  cannot,
  elsewhere,
  type Input,
  imply,
  isOff,
  newAccount,
  nothing,
  type Rule,
  type Rules,
  recipeShape,
  refuseTraining,
  renamed,
  shown,
  type Translation,
  translateKeys,
} from './translate.ts';

/**
 * LLaMA-Factory. `datasetInfo` is its `dataset_info.json`, which says what stands behind the names in `dataset`.
 * @throws UserError for a stage or a kind of fine-tuning that Anneal does not have
 */
export function fromLlamaFactory(input: Input, datasetInfo?: DatasetInfo): Translation {
  refuseOtherTraining(input);
  const account = newAccount();
  const lists = ['dataset', 'eval_dataset'];
  const output = translateKeys(account, input, llamaFactoryRules, recipeShape, { except: lists });
  const datasets = llamaFactoryDatasets(account, input, 'dataset', datasetInfo);
  const percents = percentsOf(input['interleave_probs']);
  const tests = llamaFactoryDatasets(account, input, 'eval_dataset', datasetInfo);
  const most = Number(input['max_samples']);
  for (const dataset of most > 0 ? [...datasets, ...tests] : []) {
    dataset['max_samples'] = Math.min(most, Number(dataset['max_samples'] ?? most));
  }
  for (const [i, dataset] of datasets.entries()) {
    if (percents?.length === datasets.length) dataset['percent'] = percents[i];
  }
  if (datasets.length > 0) output['datasets'] = datasets;
  if (tests.length > 0) output['test_datasets'] = tests;

  const theirs = "LLaMA-Factory's default";
  const rank = output['lora_r'] ?? 8;
  imply(account, output, 'adapter', 'lora', theirs);
  if (output['adapter'] !== null) {
    imply(account, output, 'lora_r', 8, theirs);
    imply(account, output, 'lora_alpha', Number(rank) * 2, `${theirs}: twice the rank`);
  }
  imply(account, output, 'sequence_len', 2048, theirs);
  implyPreferences(account, output);
  const { values, note } = excess(input);
  for (const [key, value] of Object.entries(values)) imply(account, output, key, value, note);
  if (input['stage'] === 'pt') imply(account, output, 'sample_packing', true, `${theirs} in pre-training`);
  imply(account, output, 'micro_batch_size', 8, "the Trainer's default");
  imply(account, output, 'gradient_accumulation_steps', 1, "the Trainer's default");
  if (!('max_steps' in output)) imply(account, output, 'num_epochs', 3, "the Trainer's default");
  imply(account, output, 'learning_rate', 5e-5, "the Trainer's default");
  imply(account, output, 'lr_scheduler', 'linear', "the Trainer's default");
  if (!('warmup_steps' in output) && output['lr_scheduler'] !== 'constant') {
    imply(account, output, 'warmup_ratio', 0, "the Trainer's default");
  }
  imply(account, output, 'weight_decay', 0, "the Trainer's default");
  implyBetas(account, output);
  return { recipe: output as Partial<Recipe>, ...account };
}

function refuseOtherTraining(input: Input): void {
  const stage = input['stage'] ?? 'sft';
  const type = input['finetuning_type'] ?? 'lora';
  if (stage === 'dpo' && !hasPreferenceLoss(input)) refuseTraining('pref_loss', lossOf(input));
  if (!['sft', 'pt', 'dpo', 'kto', 'rm'].includes(String(stage))) refuseTraining('stage', stage);
  if (type !== 'lora' && type !== 'full') refuseTraining('finetuning_type', type);
}

const isFull = (input: Input) => input['finetuning_type'] === 'full';

const adapterOnly =
  (rule: Rule): Rule =>
  (value, input) =>
    isFull(input) ? nothing('has no effect in full fine-tuning') : rule(value, input);

const finetuningType: Rule = (value, input) => {
  if (value === 'full') return becomes({ adapter: null });
  return becomes({ adapter: input['quantization_bit'] === 4 ? 'qlora' : 'lora' });
};

const quantization: Rule = (value, input) => {
  if (value === 4 && !isFull(input)) return becomes({ adapter: 'qlora', load_in_4bit: true });
  return cannot('Anneal holds weights in 16 or, with adapter: qlora, in 4 bits');
};

const loraTarget: Rule = (value) => {
  const names = Array.isArray(value)
    ? value.map(String)
    : String(value)
        .split(',')
        .map((name) => name.trim());
  return names.includes('all') ? becomes({ lora_target_linear: true }) : becomes({ lora_target_modules: names });
};

const additionalTarget: Rule = (value) =>
  becomes({
    lora_modules_to_save: (Array.isArray(value) ? value : String(value).split(',')).map((name) => String(name).trim()),
  });

const oneAdapter: Rule = (value) =>
  typeof value === 'string' && !value.includes(',')
    ? becomes({ lora_model_dir: value })
    : cannot('Anneal starts from one adapter; merge the others into the model first');

const template: Rule = (value, input) =>
  input['stage'] === 'pt'
    ? nothing('plain text has no template')
    : becomes(
        { chat_template: 'tokenizer_default' },
        `LLaMA-Factory has its own "${String(value)}"; Anneal takes the template that came with the model: compare with \`anneal inspect\``,
      );

/** Only for conversations: a plain text goes on in the next row, there and here. */
function excess(input: Input): { values: Input; note: string } {
  if (input['stage'] === 'pt') return { values: {}, note: 'a longer text goes on in the next row' };
  const packs = (input['packing'] === true || input['neat_packing'] === true) && !preferenceKind(input);
  return packs
    ? {
        values: { excess_length_strategy: 'drop' },
        note: 'when packing, LLaMA-Factory leaves out rows that are too long',
      }
    : { values: { excess_length_strategy: 'truncate' }, note: 'LLaMA-Factory cuts rows that are too long' };
}

/** `0.75,0.25` as 75 and 25. */
function percentsOf(value: unknown): number[] | null {
  const shares = (Array.isArray(value) ? value : String(value ?? '').split(',')).map(Number);
  return shares.every((share) => share > 0 && share <= 1)
    ? shares.map((share) => Number((100 * share).toPrecision(9)))
    : null;
}

const saysNothingNew =
  (ours: unknown, reason: string): Rule =>
  (value) =>
    value === ours ? nothing('as in Anneal') : cannot(reason);

export const llamaFactoryRules: Rules = {
  ...trainerRules,
  ...intervals('num_train_epochs'),
  ...schedule('lr_scheduler_type', 'linear'),
  model_name_or_path: renamed('base_model'),
  model_revision: (value) => (value === 'main' ? nothing('the default') : becomes({ revision: value })),
  adapter_name_or_path: adapterOnly(oneAdapter),
  stage: (value, input) => {
    if (value === 'pt')
      return elsewhere('the data sets become plain text (completion)', 'give each data set `type: completion`');
    return ['dpo', 'kto', 'rm'].includes(String(value)) ? preferenceStage(value, input) : nothing('as in Anneal');
  },
  finetuning_type: finetuningType,
  quantization_bit: quantization,
  quantization_method: isOff((value) =>
    ['bitsandbytes', 'bnb'].includes(String(value)) ? nothing('NF4, as in Anneal') : cannot('Anneal quantizes to NF4'),
  ),
  quantization_type: saysNothingNew('nf4', 'Anneal quantizes to NF4'),
  lora_rank: adapterOnly(renamed('lora_r')),
  lora_alpha: adapterOnly(renamed('lora_alpha')),
  lora_dropout: adapterOnly(renamed('lora_dropout')),
  lora_target: adapterOnly(loraTarget),
  use_rslora: adapterOnly(renamed('peft_use_rslora')),
  use_dora: adapterOnly(renamed('peft_use_dora')),
  additional_target: adapterOnly(additionalTarget),
  dataset_dir: () => elsewhere('part of the paths of the data sets', 'write it into the path of each data set'),
  template,
  cutoff_len: (value, input) => {
    const { values, note } = excess(input);
    return becomes({ sequence_len: value, ...values }, note);
  },
  train_on_prompt: unlessPreferred('preferences are about answers only', renamed('train_on_inputs')),
  mask_history: unlessPreferred(
    'preferences are about the last answer only',
    isOff(() => cannot('Anneal trains every answer of a conversation; mark turns with a train flag in the data')),
  ),
  packing: unlessPreferred('LLaMA-Factory packs no preferences', (value, input) =>
    input['neat_packing'] === true ? nothing('neat_packing decides') : becomes({ sample_packing: value }),
  ),
  neat_packing: unlessPreferred(
    'LLaMA-Factory packs no preferences',
    isOff(() => becomes({ sample_packing: true }, 'documents never see each other in Anneal')),
  ),
  ...preferenceRules,
  moe_aux_loss_coef: renamed('router_aux_loss_coef'),
  val_size: renamed('val_set_size'),
  per_device_train_batch_size: renamed('micro_batch_size'),
  num_train_epochs: renamed('num_epochs'),
  ...optimizer('optim'),
  bf16: renamed('bf16'),
  pure_bf16: isOff(() => becomes({ bf16: true }, 'trained weights stay float32 in Anneal')),
  gradient_checkpointing: (value) => becomes({ activations: value ? 'recompute' : 'keep' }),
  disable_gradient_checkpointing: (value) => becomes({ activations: value ? 'keep' : 'recompute' }),
  disable_shuffling: isOff(() => becomes({ shuffle: false })),
  enable_thinking: (value) => becomes({ chat_template_kwargs: { enable_thinking: value } }),
  early_stopping_steps: renamed('early_stopping_patience'),
  do_train: (value) =>
    value === true ? nothing('a recipe is for training') : cannot('a recipe of Anneal is for training'),
  mix_strategy: (value, input) => {
    if (value === 'concat' || 'interleave_probs' in input) return nothing('as in Anneal');
    return cannot('write percent for each data set');
  },
  max_samples: (value) => elsewhere('goes to each data set', `give each data set \`${shown({ max_samples: value })}\``),
  interleave_probs: (value) =>
    percentsOf(value) === null
      ? cannot('write percent for each data set')
      : elsewhere(
          'goes to each data set as percent; no row is taken twice in an epoch',
          'give each data set its `percent`',
        ),
  resize_vocab: isOff(() => cannot("the vocabulary is that of the model's tokenizer")),
  ...withoutCounterpart,
};
