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

/** `loss_type` of DPOConfig and KTOConfig; GRPOConfig's is a key of `trl` here. */
const preferenceLosses: Readonly<Record<string, Outcome>> = {
  sigmoid: becomes({ rl: 'dpo' }),
  hinge: becomes({ rl: 'dpo', dpo_loss_type: 'hinge' }),
  robust: becomes({ rl: 'dpo', dpo_loss_type: 'robust' }),
  ipo: becomes({ rl: 'ipo' }),
  kto: becomes({ rl: 'kto' }),
  apo_zero_unpaired: becomes({ rl: 'kto', kto_loss_type: 'apo_zero_unpaired' }),
};

/** Keys of TRL's and transformers' arguments, of PEFT's configurations, and of Unsloth, that have no importer of their own. */
export const trlRules: Rules = {
  ...grpoRules,
  ...belowTrl,
  loss_type: (value, input) =>
    preferenceLosses[String(value)] ?? belowTrl['loss_type']?.(value, input) ?? cannot('Anneal does not have it'),
  assistant_only_loss: onAnswersAlone,
  completion_only_loss: onAnswersAlone,
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
  ...missing('Anneal trains the text model alone', ['finetune_vision_layers']),
  ...missing('it changes what is learned, and Anneal does not have it', [
    'label_smoothing_factor',
    'layers_to_transform',
    'layers_pattern',
    'layer_replication',
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
    'loss_weights',
    'model_init_kwargs',
    'dataset_kwargs',
    'eos_token',
  ]),
  ...needless('Anneal never pads', ['pad_token', 'padding_free', 'pad_to_multiple_of', 'padding_side']),
  ...needless('it says how the work is done, not what is learned', [
    'dataset_num_proc',
    'dataset_batch_size',
    'eval_packing',
    'precompute_ref_log_probs',
    'torch_empty_cache_steps',
    'full_determinism',
    'average_tokens_across_devices',
    'disable_tqdm',
    'log_level',
    'logging_dir',
    'logging_first_step',
    'load_in_16bit',
    'use_peft',
    'task_type',
    'inference_mode',
  ]),
};
