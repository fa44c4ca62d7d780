import { trlSchema } from '../sections/rollouts.ts';
import { grpoRules } from './grpo.ts';
import {
  becomes,
  cannot,
  elsewhere,
  isOff,
  missing,
  needless,
  nothing,
  type Outcome,
  type Rule,
  type Rules,
  renamed,
  shown,
} from './translate.ts';

const onAnswersAlone: Rule = (value) =>
  value === false
    ? becomes({ train_on_inputs: true })
    : nothing('answers alone are trained, unless roles_to_train or train_on_inputs says otherwise');

/** Of rows of messages and of prompts with answers: what either of both says. */
const onAnswersUnless =
  (other: string): Rule =>
  (value, input) =>
    value === false && input[other] === true
      ? nothing(`${other} says that answers alone are trained`)
      : onAnswersAlone(value, input);

const onAllOf =
  (layers: string): Rule =>
  (value) =>
    value === true
      ? nothing(`lora_target_linear puts the adapter on ${layers}, too`)
      : cannot(`name the layers that get an adapter in lora_target_modules, without ${layers}`);

const belowTrl = Object.fromEntries(
  Object.keys(trlSchema.shape).map((key): [string, Rule] => [
    key,
    (value) =>
      elsewhere('belongs to `trl`', `write it below \`trl\`, beside \`rl: grpo\`: \`${shown({ [key]: value })}\``),
  ]),
);

/** `loss_type` of SFTConfig, DPOConfig and KTOConfig; GRPOConfig's is a key of `trl` here. */
const losses: Readonly<Record<string, Outcome>> = {
  nll: nothing('as in Anneal'),
  chunked_nll: nothing('as in Anneal'),
  dft: cannot('Anneal does not have it'),
  sigmoid: becomes({ rl: 'dpo' }),
  hinge: becomes({ rl: 'dpo', dpo_loss_type: 'hinge' }),
  robust: becomes({ rl: 'dpo', dpo_loss_type: 'robust' }),
  ipo: becomes({ rl: 'ipo' }),
  kto: becomes({ rl: 'kto' }),
  apo_zero_unpaired: becomes({ rl: 'kto', kto_loss_type: 'apo_zero_unpaired' }),
  simpo: becomes({ rl: 'simpo' }),
};

/** One loss, or one with that of imitating the chosen answer beside it. */
const ofLosses: Rule = (value, { loss_weights }) => {
  const names = Array.isArray(value) ? value.map(String) : [String(value)];
  const weights = Array.isArray(loss_weights) ? loss_weights : names.map(() => 1);
  const main = names.find((name) => name !== 'sft') ?? '';
  const outcome = losses[main] ?? cannot('Anneal does not have it');
  if (names.length === 1 || !('values' in outcome)) return outcome;
  const imitates = names.length === 2 && names.includes('sft') && weights[names.indexOf(main)] === 1;
  const isCompared = ['dpo', 'ipo'].includes(String(outcome.values['rl']));
  if (!imitates || !isCompared)
    return cannot('Anneal has one loss at a time, and `rpo_alpha` for what `sft` adds beside a weight of 1');
  return becomes({ ...outcome.values, rpo_alpha: weights[names.indexOf('sft')] });
};

/** Keys of TRL's and transformers' arguments, of PEFT's configurations, and of Unsloth, that have no importer of their own. */
export const trlRules: Rules = {
  ...grpoRules,
  ...belowTrl,
  loss_type: (value, input) =>
    (trlSchema.shape.loss_type.safeParse(value).success && belowTrl['loss_type']?.(value, input)) ||
    ofLosses(value, input),
  loss_weights: (_, input) =>
    Array.isArray(input['loss_type']) && 'values' in ofLosses(input['loss_type'], input)
      ? nothing('loss_type is told of with it')
      : cannot('it changes what is learned, and Anneal does not have it'),
  assistant_only_loss: onAnswersUnless('completion_only_loss'),
  completion_only_loss: onAnswersUnless('assistant_only_loss'),
  train_on_responses_only: onAnswersAlone,
  train_on_completions: onAnswersAlone,
  random_state: renamed('seed'),
  chat_template_path: renamed('chat_template'),
  dataset_text_field: (value) =>
    elsewhere('belongs to the data set', `give the data set \`type: completion\` and \`${shown({ field: value })}\``),
  full_finetuning: (value) => (value === true ? becomes({ adapter: null }) : nothing('an adapter is the default')),
  f_divergence_type: (value) =>
    value === 'reverse_kl' ? nothing('as in Anneal') : cannot('Anneal has the reverse divergence'),
  use_gradient_checkpointing: isOff(() => becomes({ activations: 'recompute' })),
  activation_offloading: isOff(() => becomes({ activations: 'offload' })),
  use_cpu: isOff(() => becomes({ device: 'cpu' })),
  label_smoothing: isOff((value) => becomes({ dpo_label_smoothing: value })),
  reference_free: isOff((value) => becomes({ dpo_reference_free: value })),
  desirable_weight: renamed('kto_desirable_weight'),
  undesirable_weight: renamed('kto_undesirable_weight'),
  packing_strategy: (value) =>
    value === 'bfd' ? nothing('as in Anneal') : cannot('Anneal packs whole rows, best fit'),
  finetune_language_layers: onAllOf('the language model'),
  finetune_attention_modules: onAllOf('attention'),
  finetune_mlp_modules: onAllOf('the MLP'),
  truncation_mode: (value) =>
    value === 'keep_start'
      ? elsewhere('excess_length_strategy says what becomes of long rows', 'write `excess_length_strategy: truncate`')
      : cannot('of a row that is too long, Anneal cuts the end'),
  train_sampling_strategy: (value) => {
    if (value === 'sequential') return becomes({ shuffle: false });
    return nothing(value === 'random' ? 'as in Anneal' : 'there is no padding to save');
  },
  learning_rate_multiplier: () => cannot('write learning_rate'),
  mask_prompt: onAnswersAlone,
  ...needless('the chat template tells where answers stand, and they alone are trained', [
    'response_template',
    'instruction_template',
    'response_part',
    'instruction_part',
  ]),
  ...needless('tied weights stay tied', ['ensure_weight_tying']),
  ...missing("it is the model's, which is trained as its config.json says", [
    'attention_dropout',
    'sliding_window',
    'rope_theta',
  ]),
  ...missing('Anneal trains the text model alone', ['finetune_vision_layers']),
  ...missing('it changes what is learned, and Anneal does not have it', [
    'label_smoothing_factor',
    'layers_to_transform',
    'layers_pattern',
    'layer_replication',
    'eva_config',
    'corda_config',
    'lora_ga_config',
    'velora_config',
    'monteclora_config',
    'arrow_config',
    'kasa_config',
    'alora_invocation_tokens',
    'use_qalora',
    'use_bdlora',
    'fan_in_fan_out',
    'rank_pattern',
    'alpha_pattern',
    'exclude_modules',
    'megatron_config',
    'loftq_config',
    'optim_args',
    'optim_target_modules',
    'lisa_activated_layers',
    'galore_target_modules',
    'use_weighting',
    'discopop_tau',
    'f_alpha_divergence_coef',
    'teacher_model',
    'teacher_model_name_or_path',
    'use_dft_loss',
    'use_asft_loss',
    'use_eaft_loss',
    'new_special_tokens',
    'freeze_layers',
    'trainable_layers',
    'model_init_kwargs',
    'dataset_kwargs',
    'eos_token',
  ]),
  ...needless('Anneal never pads', [
    'pad_token',
    'padding_free',
    'pad_to_multiple_of',
    'padding_side',
    'padding_value',
  ]),
  ...needless('it says how the work is done, not what is learned', [
    'dataset_num_proc',
    'dataset_batch_size',
    'eval_packing',
    'precompute_ref_log_probs',
    'torch_empty_cache_steps',
    'torch_compile_mode',
    'liger_kernel_config',
    'use_cache',
    'accelerator_config',
    'parallelism_config',
    'ddp_bucket_cap_mb',
    'ddp_broadcast_buffers',
    'ddp_static_graph',
    'ddp_backend',
    'enable_jit_checkpoint',
    'save_on_each_node',
    'restore_callback_states_from_checkpoint',
    'ignore_data_skip',
    'dataloader_persistent_workers',
    'dataloader_multiprocessing_context',
    'dataloader_in_order',
    'precompute_ref_batch_size',
    'qalora_group_size',
    'runtime_config',
    'megatron_core',
    'peft_type',
    'peft_version',
    'auto_mapping',
    'is_encoder_decoder',
    'label_names',
    'length_column_name',
    'full_determinism',
    'average_tokens_across_devices',
    'disable_tqdm',
    'log_level',
    'logging_dir',
    'logging_first_step',
    'logging_nan_inf_filter',
    'log_level_replica',
    'log_on_each_node',
    'project',
    'trackio_space_id',
    'trackio_bucket_id',
    'trackio_static_space_id',
    'hub_private_repo',
    'hub_always_push',
    'skip_memory_metrics',
    'bf16_full_eval',
    'fp16_full_eval',
    'prediction_loss_only',
    'eval_on_start',
    'eval_do_concat_batches',
    'eval_use_gather_object',
    'include_for_metrics',
    'batch_eval_metrics',
    'generate_during_eval',
    'load_in_16bit',
    'use_peft',
    'task_type',
    'inference_mode',
  ]),
};
