/**
 * A recipe with keys of Axolotl or LLaMA-Factory was answered with "unknown key, remove it". Without `rl: dpo` the chosen
 * answers would have been trained as plain fine-tuning, and `adapter: dora` was taken for a misspelling of `lora`.
 */
import { checkRecipe } from '@anneal/core/recipe/read';
import { expect, it } from 'vitest';

const minimal = 'base_model: smollm2-135m\ndatasets: [{path: data.jsonl}]\n';

function problem(lines: string): { code: string; what: string; next: string } {
  const checked = checkRecipe(minimal + lines, 'recipe.yaml');
  if (checked.ok) throw new Error('a problem was expected');
  expect(checked.problems).toHaveLength(1);
  return checked.problems[0] as { code: string; what: string; next: string };
}

it.each([
  'rl: ppo',
  'process_reward_model: true',
  'stage: ppo',
  'finetuning_type: freeze',
  'kd_alpha: 0.5',
  'pref_loss: bco',
  'lora_layers_to_transform: [0, 1]',
  'unfrozen_parameters: [lm_head]',
  'load_in_8bit: true',
  'adapter: loha',
  'optimizer: lion_8bit',
  'lr_scheduler: rex',
  'label_smoothing_factor: 0.1',
  'exclude_modules: [q_proj]',
  'finetune_mlp_modules: false',
  'top_entropy_quantile: 0.2',
  'delta: 1.5',
  'sync_ref_model: true',
  'steps_per_generation: 4',
  'rollout_func: mine',
  'truncation_mode: keep_end',
  'use_pose: true',
  'lora_rank_pattern: {q_proj: 4}',
  'reinit_weights: true',
  'min_sample_len: 20',
  'split_special_tokens: true',
  'train_from_scratch: true',
  'freeze_language_model: true',
  'new_special_tokens_config: x.yaml',
  'loss_type: dft',
  'use_dft_loss: true',
  'entropy_coef: 0.1',
  'use_adaptive_entropy: true',
  'vespo_lambda_pos: 2',
  'f_alpha_divergence_coef: 0.5',
  'normalize_advantages: true',
  'eva_config: {rho: 2}',
  'corda_config: {x: 1}',
  'alora_invocation_tokens: [1]',
  'use_qalora: true',
  'fan_in_fan_out: true',
  'attention_dropout: 0.1',
  'rope_theta: 1e6',
  'trainable_layers: 2',
  'teacher_model: x',
  'learning_rate_multiplier: 0.1',
])('%s is not advised to be removed or replaced without a word on what that changes', (line) => {
  const { code, what, next } = problem(line);
  expect(code).toBe('not_supported');
  expect(`${what}; ${next}`).not.toMatch(/did you mean|; remove it/);
  expect(next).toMatch(/something else|trains otherwise/);
});

it.each([
  ['gradient_checkpointing: true', 'activations: recompute'],
  ['per_device_train_batch_size: 4', 'micro_batch_size'],
  ['train_on_prompt: true', 'train_on_inputs: true'],
  ['val_size: 0.1', 'val_set_size: 0.1'],
  ['use_rslora: true', 'peft_use_rslora'],
  ['pretraining_dataset: corpus.txt', 'type: completion'],
  ['stage: dpo', 'write `rl: dpo`'],
  ['stage: kto', 'write `rl: kto`'],
  ['stage: rm', 'write `rl: reward`'],
  ['reward_model: true', 'write `rl: reward`'],
  ['pref_loss: orpo', 'write `rl: orpo`'],
  ['dpo_beta: 0.1', '`rl_beta`, beside `rl: dpo`'],
  ['adapter: dora', 'write `adapter: lora` and `peft_use_dora: true`'],
  ['adapter: qdora', 'write `adapter: qlora` and `peft_use_dora: true`'],
  ['kto_chosen_weight: 2', 'write `kto_desirable_weight: 2` beside `rl: kto`'],
  ['rl: kto\nkto_chosen_weight: 2', 'write `kto_desirable_weight: 2`'],
  ['stage: pt', 'give each data set `type: completion`'],
  ['max_samples: 500', 'give each data set `max_samples: 500`'],
  ['interleave_probs: 0.75,0.25', 'give each data set its `percent`'],
  ['dataset_dir: data', 'the path of each data set'],
  ['assistant_only_loss: false', 'write `train_on_inputs: true`'],
  ['completion_only_loss: false', 'write `train_on_inputs: true`'],
  ['dataset_text_field: body', '`type: completion` and `field: body`'],
  ['loss_type: ipo', 'write `rl: ipo`'],
  ['loss_type: dapo', 'below `trl`'],
  ['random_state: 7', 'write `seed: 7`'],
  ['num_generations: 4', 'below `trl`'],
  ['reward_funcs: [{type: length, target: 5}, a.ts]', '`reward_funcs: [{"type":"length","target":5},"a.ts"]`'],
  ['full_finetuning: true', 'write `adapter: null`'],
  ['max_prompt_length: 512', 'write `sequence_len: 768` at the top'],
  ['scale_rewards: false', 'write `scale_rewards: none` below `trl`'],
  ['disable_dropout: true', 'write `lora_dropout: 0`'],
  ['r: 8', '`lora_r`'],
  ['precision: bf16', '`bf16: true`'],
  ['iters: 600', '`max_steps`'],
  ['max_seq_len: 512', '`sequence_len`'],
  ['test_size: 0.1', '`val_set_size`'],
  ['truncation_mode: keep_start', '`excess_length_strategy: truncate`'],
  ['train_sampling_strategy: sequential', '`shuffle: false`'],
])('%s leads to ours', (line, ours) => {
  expect(problem(line).next).toContain(ours);
});

it.each([
  'rank_pattern: {}',
  'loftq_config: {}',
  'f_divergence_type: reverse_kl',
  'flash_attention: true',
  'tf32: true',
  'load_in_8bit: false',
  'pad_to_sequence_len: true',
  'use_vllm: true',
  'vllm_gpu_memory_utilization: 0.3',
  'num_completions_to_print: 3',
  'top_entropy_quantile: 1',
  'loss_type: nll',
  'tiled_mlp: true',
  'use_comet: true',
  'use_swanlab: true',
  'export_dir: out',
  'train_sampling_strategy: random',
  'response_template: "### Answer:"',
  'entropy_coef: 0.0',
  'entropy_target: 0.2',
  'ddp_bucket_cap_mb: 25',
  'prediction_loss_only: true',
  'torch_compile_mode: default',
  'peft_type: LORA',
])('%s can go', (line) => {
  expect(problem(line)).toMatchObject({
    code: 'foreign_key',
    next: expect.stringMatching(/^remove it: nothing changes/),
  });
});

const belowTrl = (line: string) => {
  const checked = checkRecipe(
    `${minimal}rl: grpo\ntrl:\n  reward_funcs: [{type: length, target: 3}]\n  ${line}\n`,
    'a.yaml',
  );
  return checked.ok ? [] : checked.problems.map(({ code, what, next }) => `${code}: ${what}; ${next}`);
};

// What stood below `trl`, where Axolotl has it, was not known, and `rl: grpo` was said to have no rewards.
it.each([
  ['use_vllm: true', 'remove it: nothing changes without it'],
  ['vllm_mode: colocate', 'remove it: nothing changes without it'],
  ['max_prompt_length: 512', 'write `sequence_len: 768` at the top'],
  ['top_entropy_quantile: 0.2', 'not_supported: '],
  ['ref_model_sync_steps: 64', 'sync_ref_model is off'],
  ['chat_template_kwargs: {enable_thinking: false}', 'at the top of the recipe'],
  ['loss_type: sapo', 'not_supported: '],
  ['scale_rewards: true', 'write `scale_rewards: group`'],
])('%s below trl is told of alone', (line, expected) => {
  const problems = belowTrl(line);
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(expected);
  expect(problems[0]).not.toContain('did you mean');
});

it('beta belongs to trl with rl: grpo', () => {
  const checked = checkRecipe(`${minimal}rl: grpo\nbeta: 0.04\ntrl: {reward_funcs: [a.ts]}\n`, 'a.yaml');
  expect(checked.ok ? [] : checked.problems.map(({ next }) => next)).toEqual([
    'write it below `trl`, beside `rl: grpo`: `beta: 0.04`',
  ]);
});

function inDataset(line: string) {
  const checked = checkRecipe(`base_model: m\ndatasets:\n  - path: a.jsonl\n    ${line}\n`, 'recipe.yaml');
  return checked.ok ? undefined : checked.problems[0];
}

it('is said of keys of a data set, too', () => {
  expect(inDataset('ds_type: json')).toMatchObject({ code: 'foreign_key' });
  expect(inDataset('field_thinking: why')).toMatchObject({ code: 'not_supported' });
  expect(inDataset('drop_system_message: true')).toMatchObject({ code: 'not_supported' });
  expect(inDataset('message_field_role: from')?.next).toContain('message_property_mappings');
});

// Beside `path`, where Axolotl has them within `type`, or for other kinds of data: without them something else would be trained.
it.each([
  ['format: "{instruction}: {output}"', 'within type'],
  ['system_prompt: Be brief.', 'within type'],
  ['input_transform: x', 'something else'],
  ['chosen_format: x', 'something else'],
  ['field_prompt: q', 'write `field_instruction: q`'],
])('%s of a data set', (line, expected) => {
  const checked = checkRecipe(
    `base_model: smollm2-135m\ndatasets:\n  - path: data.jsonl\n    ${line}\n`,
    'recipe.yaml',
  );
  if (checked.ok) throw new Error('a problem was expected');
  expect(checked.problems.map(({ next }) => next).join()).toContain(expected);
});
