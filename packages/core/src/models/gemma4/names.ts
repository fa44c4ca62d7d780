import { mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Files hold the matrices of all experts as one, rows of outputs as here. */
const expertNames: NameTable = [
  {
    ours: 'layers.*.experts_gate_up',
    huggingFace: 'model.layers.*.experts.gate_up_proj',
    gguf: 'blk.*.ffn_gate_up_exps.weight',
    transform: null,
    parts: { gguf: ['blk.*.ffn_gate_exps.weight', 'blk.*.ffn_up_exps.weight'] },
  },
  {
    ours: 'layers.*.experts_down',
    huggingFace: 'model.layers.*.experts.down_proj',
    gguf: 'blk.*.ffn_down_exps.weight',
    transform: null,
    parts: { gguf: ['blk.*.ffn_down_exps.weight'] },
  },
];

/** Norms of a block. */
export const blockNames = table(
  ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
  [
    'layers.*.attention_post_norm',
    'model.layers.*.post_attention_layernorm.weight',
    'blk.*.post_attention_norm.weight',
  ],
  ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
  ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
  ['layers.*.mlp_norm', 'model.layers.*.pre_feedforward_layernorm.weight', 'blk.*.ffn_norm.weight'],
  ['layers.*.mlp_post_norm', 'model.layers.*.post_feedforward_layernorm.weight', 'blk.*.post_ffw_norm.weight'],
);

/** Of the inputs of each layer. */
export const perLayerNames = table(
  ['layers.*.per_layer_gate', 'model.layers.*.per_layer_input_gate.weight', 'blk.*.inp_gate.weight'],
  ['layers.*.per_layer_out', 'model.layers.*.per_layer_projection.weight', 'blk.*.proj.weight'],
  ['layers.*.per_layer_post_norm', 'model.layers.*.post_per_layer_input_norm.weight', 'blk.*.post_norm.weight'],
  ['per_layer_embed', 'model.embed_tokens_per_layer.weight', 'per_layer_token_embd.weight'],
  ['per_layer_projection', 'model.per_layer_model_projection.weight', 'per_layer_model_proj.weight'],
  ['per_layer_projection_norm', 'model.per_layer_projection_norm.weight', 'per_layer_proj_norm.weight'],
);

export const names: NameTable = [
  ...expertNames,
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...mlpNames,
  ...blockNames,
  ...perLayerNames,
  ...table(
    ['layers.*.layer_scale', 'model.layers.*.layer_scalar', 'blk.*.layer_output_scale.weight'],
    ['layers.*.router', 'model.layers.*.router.proj.weight', 'blk.*.ffn_gate_inp.weight'],
    ['layers.*.router_scale', 'model.layers.*.router.scale', 'blk.*.ffn_gate_inp.scale'],
    ['layers.*.router_expert_scale', 'model.layers.*.router.per_expert_scale', 'blk.*.ffn_down_exps.scale'],
    ['layers.*.mlp_own_norm', 'model.layers.*.post_feedforward_layernorm_1.weight', 'blk.*.post_ffw_norm_1.weight'],
    ['layers.*.experts_norm', 'model.layers.*.pre_feedforward_layernorm_2.weight', 'blk.*.pre_ffw_norm_2.weight'],
    [
      'layers.*.experts_post_norm',
      'model.layers.*.post_feedforward_layernorm_2.weight',
      'blk.*.post_ffw_norm_2.weight',
    ],
  ),
];
