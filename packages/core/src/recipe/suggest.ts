/** What other trainers call our keys, and where the thing lies that they spell differently. */
const otherNames: Record<string, string> = {
  model: '`base_model`',
  model_name: '`base_model`',
  model_name_or_path: '`base_model`',
  use_rslora: '`peft_use_rslora`',
  use_dora: '`peft_use_dora`',
  modules_to_save: '`lora_modules_to_save`',
  additional_target: '`lora_modules_to_save`',
  lora_bias: '`peft_lora_bias`, or `peft_bias` for biases of the model,',
  init_lora_weights: '`peft_init_lora_weights`',
  trainable_token_indices: '`peft_trainable_token_indices`',
  bias: '`peft_bias`',
  beta: '`rl_beta`',
  dpo_beta: '`rl_beta`, beside `rl: dpo`',
  pref_beta: '`rl_beta`, beside `rl`',
  pref_ftx: '`rpo_alpha`, beside `rl: dpo`',
  lora_rank: '`lora_r`',
  lora_target: '`lora_target_modules` or `lora_target_linear`',
  target_modules: '`lora_target_modules`',
  target_parameters: '`lora_target_parameters`',
  dataset: '`datasets`',
  train_data: '`datasets`',
  max_seq_length: '`sequence_len`',
  max_length: '`sequence_len`',
  cutoff_len: '`sequence_len`',
  packing: '`sample_packing`',
  batch_size: '`micro_batch_size`',
  per_device_train_batch_size: '`micro_batch_size`',
  epochs: '`num_epochs`',
  num_train_epochs: '`num_epochs`',
  lr: '`learning_rate`',
  lr_scheduler_type: '`lr_scheduler`',
  optim: '`optimizer`',
  gradient_clipping: '`max_grad_norm`',
  gradient_checkpointing: '`activations: recompute`',
  random_seed: '`seed`',
  enable_thinking: '`chat_template_kwargs: {enable_thinking: …}`',
};

/** Our spelling of a key that other trainers call `word`, or undefined. */
export function ourName(word: string): string | undefined {
  return Object.hasOwn(otherNames, word) ? otherNames[word] : undefined;
}
