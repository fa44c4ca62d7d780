import type { PresetName } from '../protocol/presets.ts';

/** What one way to train has otherwise than the others. */
interface Preset {
  title: string;
  adapter: string;
  /** How the rows are read, beside their path. */
  rows: string;
  batches: string;
  learning: string;
  samples: string;
  /** What it learns from, if not from how the answers in the rows are written. */
  method?: string;
}

const chatRows = `    type: auto
    roles_to_train: [assistant] # learn the answers, not the questions`;
const samples = `
# Answered before training, at every checkpoint and at the end.
sample_prompts:
  - What can you do?
`;

const presets: Readonly<Record<PresetName, Preset>> = {
  lora: {
    title: 'A fine-tuning run',
    adapter: `# lora trains a small adapter beside the frozen model; null trains every weight.
adapter: lora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP`,
    rows: chatRows,
    batches: `sequence_len: 1024
excess_length_strategy: raise # longer rows: raise, drop or truncate; nothing is cut silently
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 3`,
    learning: `learning_rate: 2e-4
lr_scheduler: cosine
warmup_ratio: 0.03`,
    samples,
  },
  qlora: {
    title: 'QLoRA: a model of 8 billion weights on a GPU of 24 GB',
    adapter: `# qlora trains a small adapter beside the model, which is held in 4 bits.
adapter: qlora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP`,
    rows: chatRows,
    batches: `sequence_len: 2048
excess_length_strategy: raise # longer rows: raise, drop or truncate; nothing is cut silently
sample_packing: true # short rows together: fewer, fuller steps
micro_batch_size: 1
gradient_accumulation_steps: 8
num_epochs: 2`,
    learning: `learning_rate: 1e-4
lr_scheduler: cosine
warmup_ratio: 0.03
optimizer: adamw_8bit # two bytes for each trained weight instead of eight`,
    samples,
  },
  full: {
    title: 'Full fine-tuning',
    adapter: `# null trains every weight: it can learn most, and takes about 16 bytes of memory for each.
adapter: null`,
    rows: chatRows,
    batches: `sequence_len: 1024
excess_length_strategy: raise # longer rows: raise, drop or truncate; nothing is cut silently
micro_batch_size: 2
gradient_accumulation_steps: 8
num_epochs: 2`,
    learning: `learning_rate: 2e-5 # about a tenth of an adapter's
lr_scheduler: cosine
warmup_ratio: 0.03
max_grad_norm: 1`,
    samples,
  },
  continued: {
    title: 'Continued training on plain text',
    adapter: `# null trains every weight, so that the model takes in the texts and not only their style.
adapter: null`,
    rows: '    type: completion # plain text, all of it trained: a line of a .txt file, or the column `text`',
    batches: `sequence_len: 1024 # longer texts are cut into documents of this length; nothing is lost
sample_packing: true # short texts together: fewer, fuller steps
micro_batch_size: 2
gradient_accumulation_steps: 8
num_epochs: 1 # more tends to memorize`,
    learning: `learning_rate: 1e-5 # low: what the model knows should stay
lr_scheduler: cosine
warmup_ratio: 0.05`,
    samples: '',
  },
  thinking: {
    title: 'A model that thinks before it answers',
    adapter: `# lora trains a small adapter beside the frozen model.
adapter: lora
lora_r: 32 # rank: thinking is more to learn than a style
lora_alpha: 32
lora_target_linear: true # every linear layer of attention and MLP`,
    rows: `${chatRows}
    # Thinking stands in \`reasoning_content\` of a message, or between <think> and </think> in its text.`,
    batches: `sequence_len: 4096 # thoughts are long; \`anneal inspect recipe.yaml\` says how long
excess_length_strategy: drop # a thought that is cut teaches to stop in its middle
micro_batch_size: 1
gradient_accumulation_steps: 8
num_epochs: 2`,
    learning: `learning_rate: 1e-4
lr_scheduler: cosine
warmup_ratio: 0.03`,
    samples: `${samples}sample_max_tokens: 1024 # room to think
`,
  },
  dpo: {
    title: 'Learning which of two answers is better',
    adapter: `# lora trains a small adapter beside the frozen model, which dpo compares with.
adapter: lora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP`,
    method: `# Direct preference optimization. Others are ipo, orpo, simpo and cpo: docs/preference.md.
rl: dpo
rl_beta: 0.1 # higher keeps the model nearer to what it was
`,
    rows: '    type: auto # pairs: `prompt`, `chosen` and `rejected`',
    batches: `sequence_len: 1024 # for a prompt with one of its answers
excess_length_strategy: drop # a cut answer is not the one that was judged
micro_batch_size: 2
gradient_accumulation_steps: 8
num_epochs: 1 # more tends to overfit the pairs`,
    learning: `learning_rate: 2e-5 # a tenth of what imitating answers takes
lr_scheduler: cosine
warmup_ratio: 0.1`,
    samples,
  },
  kto: {
    title: 'Learning from answers that are good or bad, without pairs',
    adapter: `# lora trains a small adapter beside the frozen model, which kto compares with.
adapter: lora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP`,
    method: `# Kahneman-Tversky optimization: good answers become likelier, bad ones less likely: docs/preference.md.
rl: kto
rl_beta: 0.1 # higher keeps the model nearer to what it was
# With many more answers of one kind, give the other more weight:
kto_desirable_weight: 1
kto_undesirable_weight: 1
`,
    rows: '    type: auto # any form of a conversation, and `label`: true or false',
    batches: `sequence_len: 1024 # for a prompt with its answer
excess_length_strategy: drop # a cut answer is not the one that was judged
micro_batch_size: 4
gradient_accumulation_steps: 4 # 4 × 4 = 16 answers a step; eight or more, as they are compared with each other
num_epochs: 1 # more tends to overfit the answers`,
    learning: `learning_rate: 2e-5 # a tenth of what imitating answers takes
lr_scheduler: cosine
warmup_ratio: 0.1`,
    samples,
  },
  reward: {
    title: 'A reward model: a score that says which of two answers is better',
    adapter: `# lora trains a small adapter beside the frozen model, and the head of scores in full.
adapter: lora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP`,
    method: `# A head that gives an answer one number takes the place of that over the vocabulary: docs/preference.md.
rl: reward
center_rewards_coefficient: 0.01 # keeps the scores around 0
`,
    rows: '    type: auto # pairs: `prompt`, `chosen` and `rejected`',
    batches: `sequence_len: 1024 # for a prompt with one of its answers
excess_length_strategy: drop # a cut answer is not the one that was judged
micro_batch_size: 2
gradient_accumulation_steps: 8
num_epochs: 1 # more tends to overfit the pairs`,
    learning: `learning_rate: 1e-4 # the head is new
lr_scheduler: cosine
warmup_ratio: 0.1`,
    samples: '', // it gives scores, and answers no prompts
  },
  grpo: {
    title: 'Learning from answers of its own, which functions judge',
    adapter: `# lora trains a small adapter beside the frozen model.
adapter: lora
lora_r: 16 # rank: higher learns more and costs more memory
lora_alpha: 16 # once or twice lora_r
lora_target_linear: true # every linear layer of attention and MLP`,
    method: `# The model answers each prompt several times; what is judged better becomes likelier: docs/grpo.md.
rl: grpo
trl:
  num_generations: 8 # answers to each prompt, which are compared with each other
  max_completion_length: 256 # longest answer, in tokens
  reward_funcs:
    # 1 where the last number of the answer is the one in the column \`answer\`; name functions of your own beside it.
    - { type: numeric, field: answer }
`,
    rows: '    type: auto # tasks: `prompt`, and what the functions read; an answer in the row is left out',
    batches: `sequence_len: 512 # for a prompt with its answer
excess_length_strategy: drop
micro_batch_size: 8 # answers that are learned from at a time
gradient_accumulation_steps: 4 # 8 × 4 = 32 answers a step: 4 prompts
max_steps: 200`,
    learning: `learning_rate: 2e-5 # a tenth of what imitating answers takes
lr_scheduler: constant_with_warmup
warmup_ratio: 0.05`,
    samples: `
# Answered before training, at every checkpoint and at the end.
sample_prompts:
  - What is 17 + 25?
`,
  },
};

/**
 * The recipe that `anneal init` writes: the keys that people change, each with a word about it.
 * `docs/recipe.md` has the rest.
 */
export function starterRecipe({
  baseModel,
  dataset,
  preset = 'lora',
}: {
  baseModel: string;
  dataset: string;
  preset?: PresetName;
}): string {
  const { title, adapter, method, rows, batches, learning, samples: prompts } = presets[preset];
  return `# ${title}. Every key: docs/recipe.md. Check it: anneal validate recipe.yaml
schema_version: 1

# The model: a folder, a GGUF file, a Hugging Face name, or a short name such as smollm2-135m.
base_model: ${JSON.stringify(baseModel)}

${adapter}
${method === undefined ? '' : `\n${method}`}
# The rows. Their form (chat messages, ShareGPT, Alpaca, plain text) is detected; \`anneal inspect recipe.yaml\`
# shows what the model will see and which tokens the loss counts.
datasets:
  - path: ${JSON.stringify(dataset)}
${rows}
val_set_size: 0.05 # 5 % of the rows are kept apart to measure the validation loss

# A step sees micro_batch_size × gradient_accumulation_steps rows of at most sequence_len tokens.
${batches}

${learning}

evals_per_epoch: 1
saves_per_epoch: 1
save_total_limit: 3
${prompts}
seed: 3407 # decides every random choice
output_dir: runs
`;
}
