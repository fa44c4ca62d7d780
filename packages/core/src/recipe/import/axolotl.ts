import { axolotlDatasets } from './axolotlDatasets.ts';
import { intervals, optimizer, plain, schedule, trainerRules, warmup } from './huggingFace.ts';
import {
  becomes,
  cannot,
  type Input,
  isMapping,
  isOff,
  missing,
  needless,
  nothing,
  type Rule,
  type Rules,
  recipeShape,
  refuseTraining,
  renamed,
  type Translation,
  Translator,
} from './translate.ts';

/**
 * Axolotl: our key names are its own, so the work is in values and in defaults.
 * @throws UserError for a way of training that Anneal does not have
 */
export function fromAxolotl(input: Input): Translation {
  for (const key of ['rl', 'reward_model', 'process_reward_model', 'relora'])
    if (input[key]) refuseTraining(key, input[key]);
  const translator = new Translator();
  const lists = ['datasets', 'test_datasets', 'pretraining_dataset'];
  const output = translator.mapping(input, axolotlRules, recipeShape, { except: lists });
  const datasets = [
    ...axolotlDatasets(translator, input, 'datasets'),
    ...axolotlDatasets(translator, input, 'pretraining_dataset'),
  ];
  if (datasets.length > 0) output['datasets'] = datasets;
  const tests = axolotlDatasets(translator, input, 'test_datasets');
  if (tests.length > 0) output['test_datasets'] = tests;

  translator.imply(output, 'adapter', null, 'Axolotl trains every weight unless told otherwise');
  translator.imply(output, 'sequence_len', 512, "Axolotl's default");
  translator.imply(output, 'excess_length_strategy', 'drop', 'Axolotl leaves out rows that are too long');
  translator.imply(output, 'micro_batch_size', 1, "Axolotl's default");
  translator.imply(output, 'gradient_accumulation_steps', 1, "Axolotl's default");
  translator.imply(output, 'weight_decay', 0, "Axolotl's default");
  if (output['adapter'] !== null && !('lora_target_modules' in output) && !('lora_target_linear' in output)) {
    translator.imply(
      output,
      'lora_target_modules',
      ['q_proj', 'v_proj'],
      'without targets PEFT takes the query and value projections of Llama, Qwen and Mistral',
    );
  }
  return translator.result(output);
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

export const axolotlRules: Rules = {
  ...trainerRules,
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
  ...warmup('lr_scheduler'),
  revision_of_model: renamed('revision'),
  adapter,
  load_in_4bit: (value, input) => {
    if (value !== true) return nothing('weights are not quantised');
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
  lora_target_linear: adapterOnly(isOff(renamed('lora_target_linear'))),
  peft_use_rslora: adapterOnly(renamed('peft_use_rslora')),
  lora_model_dir: adapterOnly(renamed('lora_model_dir')),
  chat_template: chatTemplate,
  chat_template_jinja: templateFile,
  special_tokens: specialTokens,
  sample_packing: (value) =>
    typeof value === 'boolean' ? becomes({ sample_packing: value }) : cannot('write true or false'),
  batch_size: batchSize,
  lr_scheduler: schedule,
  optimizer,
  bf16: (value) => becomes({ bf16: value === 'full' ? true : value }),
  bfloat16: isOff(() => becomes({ bf16: true })),
  gradient_checkpointing: checkpointing,
  activation_offloading: isOff(() => becomes({ activations: 'offload' })),
  curriculum_sampling: isOff(() => becomes({ shuffle: false }, 'rows in the order of the file')),
  shuffle_merged_datasets: () => nothing('rows are shuffled anew in every epoch either way'),
  auto_resume_from_checkpoints: isOff(() => cannot('use `anneal runs resume`')),
  skip_prepare_dataset: isOff(() => cannot('Anneal prepares every data set')),
  plugins,
  ...missing('Anneal does not have it', ['rl', 'reward_model', 'process_reward_model', 'relora']),
  ...needless("found in the model's own files", [
    'model_type',
    'tokenizer_type',
    'tokenizer_use_fast',
    'tokenizer_legacy',
    'base_model_config',
    'is_llama_derived_model',
    'is_mistral_derived_model',
    'is_falcon_derived_model',
    'is_qwen_derived_model',
  ]),
  ...needless('Anneal keeps prepared data inside the run folder', [
    'dataset_prepared_path',
    'dataset_keep_in_memory',
    'dataset_shard_num',
    'dataset_shard_idx',
    'sample_packing_group_size',
    'sample_packing_bin_size',
    'sample_packing_sequentially',
    'multipack_real_batches',
    'eval_sample_packing',
    'sample_packing_eff_est',
    'total_num_tokens',
  ]),
  ...needless('concerns the speed or the memory of PyTorch only', [
    'lora_mlp_kernel',
    'lora_qkv_kernel',
    'lora_o_kernel',
    'lora_on_cpu',
    'lora_fan_in_fan_out',
    'flash_attn_fuse_mlp',
    'flash_attn_fuse_qkv',
    'flash_attn_rms_norm',
    'flash_attn_cross_entropy',
    'liger_rope',
    'liger_rms_norm',
    'liger_glu_activation',
    'liger_swiglu',
    'liger_layer_norm',
    'liger_cross_entropy',
    'liger_fused_linear_cross_entropy',
    'unsloth_cross_entropy_loss',
    'unsloth_lora_mlp',
    'unsloth_lora_qkv',
    'unsloth_lora_o',
    'gpu_memory_limit',
    'device_map',
    'max_memory',
    'debug',
    'strict',
    'gc_steps',
    'save_first_step',
  ]),
  ...missing('Anneal reports to its own run folder', [
    'wandb_project',
    'wandb_entity',
    'wandb_watch',
    'wandb_name',
    'wandb_run_id',
    'wandb_log_model',
    'wandb_mode',
    'mlflow_tracking_uri',
    'mlflow_experiment_name',
    'comet_api_key',
    'comet_project_name',
    'use_tensorboard',
    'use_wandb',
    'use_mlflow',
    'eval_table_size',
    'eval_max_new_tokens',
    'push_dataset_to_hub',
    'hf_use_auth_token',
  ]),
  ...missing('Anneal trains on one device for now', [
    'context_parallel_size',
    'sequence_parallel_degree',
    'heads_k_stride',
    'dp_shard_size',
    'dp_replicate_size',
    'fsdp_version',
  ]),
  ...missing('it changes what is learnt, and Anneal does not have it', [
    'peft_use_dora',
    'peft_init_lora_weights',
    'peft_layers_to_transform',
    'lora_modules_to_save',
    'lora_target_parameters',
    'lora_layers_to_transform',
    'relora_steps',
    'relora_warmup_steps',
    'noisy_embedding_alpha',
    's2_attention',
    'rope_scaling',
    'overrides_of_model_config',
    'model_kwargs',
    'unfrozen_parameters',
    'cosine_constant_lr_ratio',
    'lr_groups',
    'embedding_lr',
    'embedding_lr_scale',
    'optim_args',
    'optim_target_modules',
    'bnb_config_kwargs',
    'default_system_message',
    'eot_tokens',
    'tokens',
    'added_tokens_overrides',
    'tokenizer_config',
    'resize_token_embeddings_to_32x',
    'loss_watchdog_threshold',
    'loss_watchdog_patience',
  ]),
};
