import { isTemplateName } from '../../templates/templateNames.ts';
import type { Recipe } from '../schema.ts';
import { preferenceDefaults } from '../sections/preference.ts';
import { axolotlDatasets } from './axolotlDatasets.ts';
import { withoutCounterpart } from './axolotlWithoutCounterpart.ts';
import { implyBetas, intervals, optimizer, plain, schedule, trainerRules } from './huggingFace.ts';
import {
  becomes,
  cannot,
  type Input,
  imply,
  isMapping,
  isOff,
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
 * Axolotl: our key names are its own, so the work is in values and in defaults.
 * @throws UserError for a way of training that Anneal does not have
 */
export function fromAxolotl(input: Input): Translation {
  for (const key of ['process_reward_model', 'relora']) if (input[key]) refuseTraining(key, input[key]);
  if (input['rl'] && !kinds.includes(String(input['rl']))) refuseTraining('rl', input['rl']);
  const account = newAccount();
  const lists = ['datasets', 'test_datasets', 'pretraining_dataset'];
  const output = translateKeys(account, input, axolotlRules, recipeShape, { except: lists });
  const datasets = [
    ...axolotlDatasets(account, input, 'datasets'),
    ...axolotlDatasets(account, input, 'pretraining_dataset'),
  ];
  if (datasets.length > 0) output['datasets'] = datasets;
  const tests = axolotlDatasets(account, input, 'test_datasets');
  if (tests.length > 0) output['test_datasets'] = tests;

  if (output['rl'] === 'simpo') {
    imply(account, output, 'rl_beta', 0.1, "TRL's default");
    imply(account, output, 'simpo_gamma', 0.5, "TRL's default");
    imply(account, output, 'cpo_alpha', 1, "TRL's default, which imitates the chosen answer besides");
  }
  imply(account, output, 'adapter', null, 'Axolotl trains every weight unless told otherwise');
  imply(account, output, 'sequence_len', 512, "Axolotl's default");
  imply(account, output, 'excess_length_strategy', 'drop', 'Axolotl leaves out rows that are too long');
  imply(account, output, 'micro_batch_size', 1, "Axolotl's default");
  imply(account, output, 'gradient_accumulation_steps', 1, "Axolotl's default");
  imply(account, output, 'weight_decay', 0, "Axolotl's default");
  implyBetas(account, output);
  if (output['adapter'] !== null && !('lora_target_modules' in output) && !('lora_target_linear' in output)) {
    imply(
      account,
      output,
      'lora_target_modules',
      ['q_proj', 'v_proj'],
      'without targets PEFT takes the query and value projections of Llama, Qwen and Mistral',
    );
  }
  return { recipe: output as Partial<Recipe>, ...account };
}

const hasAdapter = (input: Input) => input['adapter'] === 'lora' || input['adapter'] === 'qlora';

const adapterOnly =
  (rule: Rule): Rule =>
  (value, input) =>
    hasAdapter(input) ? rule(value, input) : nothing('has no effect without an adapter, in Axolotl neither');

const adapter: Rule = (value, input) => {
  if (value === null || value === '') return becomes({ adapter: null });
  if (value === 'lora' && input['load_in_4bit'] === true) {
    return becomes({ adapter: 'qlora' }, 'LoRA over weights in 4 bits is called qlora');
  }
  return value === 'lora' || value === 'qlora' ? becomes({ adapter: value }) : refuseTraining('adapter', value);
};

const targetModules: Rule = (value, input) => {
  if (input['lora_target_linear'] === true) return nothing('lora_target_linear covers them');
  if (value === 'all-linear') return becomes({ lora_target_linear: true });
  return Array.isArray(value)
    ? becomes({ lora_target_modules: value })
    : cannot('a pattern; list the names of the layers in lora_target_modules');
};

const targetParameters: Rule = (value) => becomes({ lora_target_parameters: Array.isArray(value) ? value : [value] });

const trainableTokens: Rule = (value) => {
  if (Array.isArray(value)) return becomes({ peft_trainable_token_indices: value });
  const [[name, ids] = ['', null], ...others] = Object.entries((value ?? {}) as Record<string, unknown>);
  return name.split('.').at(-1) === 'embed_tokens' && others.length === 0
    ? becomes({ peft_trainable_token_indices: ids })
    : cannot('Anneal trains rows of embed_tokens alone; lora_modules_to_save trains lm_head in full');
};

const initialization: Rule = (value) => {
  if (value === true || value === null) return nothing('it is what an adapter begins as here');
  if (value === 'pissa' || value === 'loftq') return becomes({ peft_init_lora_weights: value });
  return typeof value === 'string' && value.startsWith('pissa_niter_')
    ? becomes({ peft_init_lora_weights: 'pissa' }, 'by more iterations here')
    : cannot('an adapter begins as nothing here, or by pissa or loftq');
};

const embeddingScale: Rule = (value, { learning_rate: rate }) =>
  typeof value === 'number' && Number.isFinite(Number(rate))
    ? becomes({ embedding_lr: value * Number(rate) }, 'times learning_rate')
    : cannot('write the learning rate of embeddings as embedding_lr');

/** A key of its own there, beside `rl`. */
const rewardModel: Rule = (value) =>
  value === true ? becomes({ rl: 'reward' }) : nothing('nothing is trained otherwise without it');

const labels: Rule = (value) =>
  value === 1
    ? nothing('a reward model has one')
    : cannot('Anneal trains heads of one output, which are reward models');

const checkpointing: Rule = (value) => {
  if (value === true) return becomes({ activations: 'recompute' });
  if (value === false) return becomes({ activations: 'keep' });
  return ['offload', 'offload_disk', 'unsloth'].includes(String(value))
    ? becomes({ activations: 'offload' })
    : cannot('choose activations: auto, keep, recompute or offload');
};

const chatTemplate: Rule = (value, input) => {
  const name = String(value);
  if (name === 'tokenizer_default') return becomes({ chat_template: name });
  if (name.startsWith('tokenizer_default_fallback_')) {
    return becomes({ chat_template: 'tokenizer_default' }, 'without a fallback: the model must bring its template');
  }
  if (name === 'jinja' && typeof input['chat_template_jinja'] === 'string')
    return nothing('chat_template_jinja decides');
  if (isTemplateName(name)) return becomes({ chat_template: name }, 'compare what it prints with `anneal inspect`');
  return cannot(
    `Anneal takes the template that came with the model; if "${name}" differs from it, save it as a .jinja file and name that`,
  );
};

const templateFile: Rule = (value) =>
  /\.(jinja|jinja2|j2)$/.test(String(value))
    ? becomes({ chat_template: value })
    : cannot('save the template in a .jinja file and name that in chat_template');

const specialTokens: Rule = (value) => {
  const changed = isMapping(value) ? Object.keys(value).filter((key) => key !== 'pad_token') : ['special_tokens'];
  return changed.length === 0
    ? nothing('Anneal never pads')
    : cannot(`the tokens are those of the model's tokenizer; ${changed.join(', ')} cannot be changed`);
};

const plugins: Rule = (value) => {
  const others = (Array.isArray(value) ? value.map(String) : [String(value)]).filter(
    (name) => !/liger|cut_?cross/i.test(name),
  );
  return others.length === 0
    ? nothing('concerns the speed or the memory of PyTorch only')
    : cannot(`Anneal loads no code that a recipe names: ${others.join(', ')}`);
};

const batchSize: Rule = (value, input) => {
  const steps = Number(value) / Number(input['micro_batch_size'] ?? 1);
  return Number.isInteger(steps)
    ? becomes({ gradient_accumulation_steps: steps }, 'batch_size / micro_batch_size')
    : cannot('not a multiple of micro_batch_size; write gradient_accumulation_steps');
};

/** Of learning from preferences; the keys are Axolotl's, too. What judges sampled answers (`grpo`) is Python there. */
const kinds = Object.keys(preferenceDefaults).filter((each) => each !== 'grpo');

const kind: Rule = (value) =>
  !value || kinds.includes(String(value))
    ? becomes({ rl: value || null })
    : cannot(`of preferences Anneal has ${kinds.join(', ')}`);

export const axolotlRules: Rules = {
  ...trainerRules,
  ...withoutCounterpart,
  ...plain([
    'rl_beta',
    'dpo_label_smoothing',
    'rpo_alpha',
    'orpo_alpha',
    'simpo_gamma',
    'cpo_alpha',
    'kto_desirable_weight',
    'kto_undesirable_weight',
    'center_rewards_coefficient',
  ]),
  reward_model: rewardModel,
  num_labels: labels,
  rl: kind,
  rl_adapter_ref_model: () => nothing('the reference is the base with the adapter off'),
  ...plain([
    'base_model',
    'chat_template_kwargs',
    'val_set_size',
    'dataset_exact_deduplication',
    'train_on_inputs',
    'sequence_len',
    'excess_length_strategy',
    'micro_batch_size',
    'num_epochs',
    'cosine_min_lr_ratio',
    'evals_per_epoch',
    'saves_per_epoch',
    'early_stopping_patience',
  ]),
  ...intervals('num_epochs'),
  ...schedule('lr_scheduler', 'cosine'),
  noisy_embedding_alpha: renamed('neftune_noise_alpha'),
  embedding_lr_scale: embeddingScale,
  embedding_lr: (value, input) =>
    input['embedding_lr_scale'] ? nothing('embedding_lr_scale counts') : becomes({ embedding_lr: value }),
  revision_of_model: renamed('revision'),
  adapter,
  load_in_4bit: (value, input) => {
    if (value !== true) return nothing('weights are not quantized');
    return hasAdapter(input)
      ? becomes({ load_in_4bit: true })
      : cannot('4-bit weights are trained through adapter: qlora only');
  },
  load_in_8bit: isOff(() =>
    cannot('Anneal has no 8-bit weights: they stay in 16 bits; adapter: qlora holds them in 4'),
  ),
  lora_r: adapterOnly(renamed('lora_r')),
  lora_alpha: adapterOnly(renamed('lora_alpha')),
  lora_dropout: adapterOnly(renamed('lora_dropout')),
  lora_target_modules: adapterOnly(targetModules),
  lora_target_parameters: adapterOnly(targetParameters),
  lora_target_linear: adapterOnly(isOff(renamed('lora_target_linear'))),
  peft_use_rslora: adapterOnly(renamed('peft_use_rslora')),
  peft_use_dora: adapterOnly(renamed('peft_use_dora')),
  peft_trainable_token_indices: adapterOnly(trainableTokens),
  peft_init_lora_weights: adapterOnly(initialization),
  lora_modules_to_save: adapterOnly(renamed('lora_modules_to_save')),
  lora_model_dir: adapterOnly(renamed('lora_model_dir')),
  chat_template: chatTemplate,
  chat_template_jinja: templateFile,
  special_tokens: specialTokens,
  sample_packing: (value) =>
    typeof value === 'boolean' ? becomes({ sample_packing: value }) : cannot('write true or false'),
  batch_size: batchSize,
  ...optimizer('optimizer'),
  bf16: (value) => becomes({ bf16: value === 'full' ? true : value }),
  bfloat16: isOff(() => becomes({ bf16: true })),
  gradient_checkpointing: checkpointing,
  activation_offloading: isOff(() => becomes({ activations: 'offload' })),
  curriculum_sampling: isOff(() => becomes({ shuffle: false }, 'rows in the order of the file')),
  shuffle_merged_datasets: () => nothing('rows are shuffled anew in every epoch either way'),
  auto_resume_from_checkpoints: isOff(() => cannot('use `anneal runs resume`')),
  skip_prepare_dataset: isOff(() => cannot('Anneal prepares every data set')),
  plugins,
};
