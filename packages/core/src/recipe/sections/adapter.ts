import * as z from 'zod';
import { derived, type KeyMeta, optional } from '../key.ts';

export const loraDefaults = {
  lora_r: 16,
  lora_alpha: 16,
  lora_dropout: 0,
  peft_use_rslora: false,
  peft_use_dora: false,
  peft_lora_bias: false,
  peft_bias: 'none',
} as const;

/** What is trained: a low-rank adapter beside frozen weights, or every weight. */
export const adapter = {
  adapter: z
    .enum(['lora', 'qlora'])
    .nullable()
    .default('lora')
    .meta({
      description:
        '`lora` trains a small adapter beside the frozen model, `qlora` does so over a model held in 4 bits, `null` trains every weight (full fine-tuning).',
      defaultValue: 'lora',
      values: '`lora`, `qlora`, `null`',
    } satisfies KeyMeta),
  load_in_4bit: derived(
    z.boolean(),
    'true with `adapter: qlora`, otherwise false',
    'Hold the frozen weights in NF4, about 4.5 bits each. Goes with `adapter: qlora`.',
  ),
  lora_r: derived(
    z.int().min(1).max(1024),
    `${loraDefaults.lora_r}; with \`lora_model_dir\` that of its adapter`,
    'Rank of the adapter: the width of its two small matrices. 8 to 64 is usual; higher learns more and costs more memory.',
  ),
  lora_alpha: derived(
    z.number().positive().max(8192),
    `${loraDefaults.lora_alpha}; with \`lora_model_dir\` that of its adapter`,
    'Scale of the adapter: its output is multiplied by lora_alpha / lora_r (by lora_alpha / √lora_r with `peft_use_rslora`). Once or twice `lora_r` is usual.',
  ),
  lora_dropout: derived(
    z.number().min(0).lt(1),
    `${loraDefaults.lora_dropout}`,
    "Share of the adapter's inputs set to zero at random while training. 0 is fastest and usually as good.",
  ),
  lora_target_linear: derived(
    z.boolean(),
    'true unless `lora_target_modules` is written; with `lora_model_dir` the layers of its adapter',
    'Put the adapter on every linear layer of the blocks: attention and MLP (of a mixture of experts not those that are chosen: see `lora_target_parameters`), not the embedding and not the output layer. With false and `lora_target_parameters` only experts get one.',
  ),
  lora_target_modules: derived(
    z.array(z.string().min(1)).min(1),
    'null: see `lora_target_linear`',
    "The linear layers that get an adapter, by the last part of their Hugging Face name: `[q_proj, k_proj, v_proj, o_proj, gate_proj, up_proj, down_proj]` are Llama's. `embed_tokens` and `lm_head` may be among them, with `lora_dropout: 0` for `lm_head`; where the model has one matrix for both, such an adapter cannot be merged.",
  ),
  lora_target_parameters: derived(
    z.array(z.string().min(1)).min(1),
    'nothing',
    'Matrices of experts that get an adapter beside the linear layers, each expert one of its own: `[gate_up_proj, down_proj]`. Such an adapter is as many times larger as there are experts, so 1 to 8 is a usual `lora_r`.',
  ),
  peft_use_rslora: derived(
    z.boolean(),
    `${loraDefaults.peft_use_rslora}`,
    'Rank-stabilized LoRA: scale by lora_alpha / √lora_r, so that a high rank keeps learning.',
  ),
  peft_use_dora: derived(
    z.boolean(),
    `${loraDefaults.peft_use_dora}`,
    "DoRA: also train how long each output's row of the weight is, apart from its direction, which the adapter turns. Often learns more at a low rank, and costs time and memory.",
  ),
  peft_lora_bias: derived(
    z.boolean(),
    `${loraDefaults.peft_lora_bias}`,
    "Give the second matrix of each adapter a bias, PEFT's lora_bias: for adapters taken out of weights that were trained in full. It can be merged only into layers that have a bias themselves, as Qwen2's q_proj, k_proj and v_proj.",
  ),
  peft_init_lora_weights: optional(
    z.enum(['pissa', 'loftq']),
    null,
    'What the adapter begins as, in place of nothing. `pissa`: the strongest part of each weight, which is then trained instead of frozen, and often learns faster. `loftq`, with `adapter: qlora`: the strongest part of what each weight loses in 4 bits, so that the model begins nearer to the original.',
  ),
  lora_modules_to_save: derived(
    z.array(z.string().min(1)).min(1),
    'nothing',
    'Embedding, output layer and norms that are trained in full beside the adapter, by the last part of their Hugging Face name: `[embed_tokens, lm_head]` for tokens that the model hardly knows. An embedding costs more memory than the whole adapter: its weights, gradients and moments in float32.',
  ),
  peft_trainable_token_indices: derived(
    z.array(z.int().min(0)).min(1),
    'nothing',
    'Ids of tokens whose rows of the embedding are trained beside the adapter, and of the output layer where that is the same matrix: for a few tokens that the model hardly knows. Takes half the memory of the whole embedding in `lora_modules_to_save`: its weights and gradients in float32.',
  ),
  peft_bias: derived(
    z.enum(['none', 'lora_only', 'all']),
    `${loraDefaults.peft_bias}`,
    'Which biases of the model are trained beside the adapter: `none`, `lora_only` (those of the layers that have an adapter) or `all`. Most models have none; Qwen2 has some.',
  ),
  lora_model_dir: optional(
    z.string().min(1),
    null,
    'Start from this adapter (a PEFT folder with adapter_model.safetensors) instead of a fresh one. Its own ranks, scales and layers count, also where they differ from module to module; a recipe that says otherwise is warned.',
  ),
};
