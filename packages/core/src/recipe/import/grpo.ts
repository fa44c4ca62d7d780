/** Keys of TRL's GRPOConfig, of Axolotl's `trl` and of Unsloth that ours does not have. */
import { cannot, elsewhere, isOff, missing, needless, nothing, type Rule, type Rules, shown } from './translate.ts';

const only =
  (same: unknown, reason: string): Rule =>
  (value) =>
    value === same || value === null ? nothing('as in Anneal') : cannot(reason);

/** Below `trl` as at the top of a recipe: what is ours stands at the top. */
const atTheTop =
  (values: (value: unknown) => Record<string, unknown>, note: string): Rule =>
  (value) =>
    elsewhere(note, `write \`${shown(values(value))}\` at the top of the recipe`);

const REFERENCE_STAYS = 'the model before training stays what answers are compared with';

const ofMovingReference: Rule = (_, { sync_ref_model }) =>
  sync_ref_model ? cannot(REFERENCE_STAYS) : nothing('sync_ref_model is off');

const ofAdaptiveEntropy: Rule = (_, { use_adaptive_entropy }) =>
  use_adaptive_entropy ? cannot('nothing is added to the loss for entropy') : nothing('use_adaptive_entropy is off');

export const grpoRules: Rules = {
  max_prompt_length: (value, { max_completion_length: answer = 256 }) =>
    elsewhere(
      'prompts have what the answers leave of sequence_len',
      typeof value === 'number' && typeof answer === 'number'
        ? `write \`sequence_len: ${value + answer}\` at the top of the recipe: prompt and answer together`
        : 'write `sequence_len` at the top of the recipe: prompt and answer together',
    ),
  shuffle_dataset: atTheTop((shuffle) => ({ shuffle }), 'it is about the rows'),
  disable_dropout: isOff(() =>
    elsewhere('it is about the adapter', 'write `lora_dropout: 0` at the top of the recipe'),
  ),
  steps_per_generation: (value, { gradient_accumulation_steps }) =>
    value === null || value === gradient_accumulation_steps
      ? nothing('as in Anneal')
      : cannot(
          'a step has micro_batch_size × gradient_accumulation_steps answers, and num_iterations says how many updates are made of them',
        ),
  top_entropy_quantile: only(1, 'every token of an answer is learned from'),
  delta: only(null, 'what is far likelier than before is not clipped where its advantage is negative'),
  multi_objective_aggregation: only('sum_then_normalize', 'rewards are added up, and then made advantages'),
  vllm_sampling_params: () =>
    elsewhere('Anneal samples itself', 'write temperature, top_p, top_k, min_p and repetition_penalty below `trl`'),
  ref_model_mixup_alpha: ofMovingReference,
  ref_model_sync_steps: ofMovingReference,
  ...missing(REFERENCE_STAYS, ['sync_ref_model', 'model_adapter_name', 'ref_adapter_name', 'force_use_ref_model']),
  ...missing('answers have no tools within them', [
    'rollout_func',
    'environment_factory',
    'mask_env_tokens',
    'max_tool_calling_iterations',
  ]),
  ...missing('answers are sampled by temperature, top_p, top_k, min_p and repetition_penalty alone', [
    'generation_kwargs',
    'vllm_structured_outputs_regex',
    'vllm_guided_decoding_regex',
  ]),
  ...missing('it changes what is learned, and Anneal does not have it', [
    'off_policy_mask_threshold',
    'replay_buffer_size',
    'sapo_temperature_neg',
    'sapo_temperature_pos',
    'vespo_k_pos',
    'vespo_k_neg',
    'vespo_lambda_pos',
    'vespo_lambda_neg',
    'entropy_coef',
    'use_adaptive_entropy',
    'normalize_advantages',
  ]),
  entropy_coef_min: ofAdaptiveEntropy,
  entropy_coef_max: ofAdaptiveEntropy,
  entropy_coef_delta: ofAdaptiveEntropy,
  entropy_target: ofAdaptiveEntropy,
  ...needless('Anneal samples answers itself, by the weights that are trained', [
    'use_vllm',
    'fast_inference',
    'vllm_mode',
    'vllm_model_impl',
    'vllm_enable_sleep_mode',
    'vllm_server_base_url',
    'vllm_server_host',
    'vllm_server_port',
    'vllm_server_timeout',
    'vllm_group_port',
    'vllm_gpu_memory_utilization',
    'vllm_max_model_length',
    'vllm_max_model_len',
    'vllm_tensor_parallel_size',
    'vllm_dtype',
    'vllm_enable_prefix_caching',
    'vllm_importance_sampling_correction',
    'vllm_importance_sampling_mode',
    'vllm_importance_sampling_cap',
    'vllm_importance_sampling_clip_max',
    'vllm_importance_sampling_clip_min',
    'use_transformers_paged',
    'use_transformers_continuous_batching',
    'transformers_continuous_batching_config',
    'cache_implementation',
    'ds3_gather_for_generation',
  ]),
  ...needless('evaluation takes one answer to each prompt, the likeliest', ['num_generations_eval']),
  ...needless('a reward model brings its own tokenizer', ['reward_processing_classes']),
  ...needless('it says how the work is done, not what is learned', [
    'use_liger_loss',
    'use_liger_kernel',
    'cast_lm_head_to_fp32',
    'remove_unused_columns',
    'unsloth_num_chunks',
    'unsloth_grpo_mini_batch',
    'unsloth_logit_chunk_multiplier',
  ]),
  ...needless('the run keeps all answers', [
    'num_completions_to_print',
    'wandb_log_unique_prompts',
    'log_unique_prompts',
    'log_completions_hub_repo',
    'log_multimodal',
  ]),
};

/** Below `trl` alone: at the top of a recipe these are keys of ours. */
export const belowTrlRules: Rules = {
  ...grpoRules,
  chat_template_kwargs: atTheTop((chat_template_kwargs) => ({ chat_template_kwargs }), 'it is about the rows'),
};
