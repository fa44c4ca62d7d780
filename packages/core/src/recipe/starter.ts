/**
 * The recipe that `anneal init` writes: the keys that people change, each with a word about it.
 * `docs/recipe.md` has the rest.
 */
export function starterRecipe({ baseModel, dataset }: { baseModel: string; dataset: string }): string {
  return `# A fine-tuning run. Every key: docs/recipe.md. Check it: anneal validate recipe.yaml
schema_version: 1

# The model: a folder, a GGUF file, a Hugging Face name, or a short name such as smollm2-135m.
base_model: ${JSON.stringify(baseModel)}

# lora trains a small adapter beside the frozen model; null trains every weight.
adapter: lora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP

# The rows. Their form (chat messages, ShareGPT, Alpaca, plain text) is detected; \`anneal inspect recipe.yaml\`
# shows what the model will see and which tokens the loss counts.
datasets:
  - path: ${JSON.stringify(dataset)}
    type: auto
    roles_to_train: [assistant] # learn the answers, not the questions
val_set_size: 0.05 # 5 % of the rows are kept apart to measure the validation loss

# A step sees micro_batch_size × gradient_accumulation_steps rows of at most sequence_len tokens.
sequence_len: 1024
excess_length_strategy: raise # longer rows: raise, drop or truncate; nothing is cut silently
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 3

learning_rate: 2e-4
lr_scheduler: cosine
warmup_ratio: 0.03

evals_per_epoch: 1
saves_per_epoch: 1
save_total_limit: 3

# Answered before training, at every checkpoint and at the end.
sample_prompts:
  - What can you do?

seed: 3407 # decides every random choice
output_dir: runs
`;
}
