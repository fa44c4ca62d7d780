import { mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

export const names: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...mlpNames,
  ...table(
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
    ['layers.*.layer_scale', 'model.layers.*.layer_scalar', 'blk.*.layer_output_scale.weight'],
    ['layers.*.per_layer_gate', 'model.layers.*.per_layer_input_gate.weight', 'blk.*.inp_gate.weight'],
    ['layers.*.per_layer_out', 'model.layers.*.per_layer_projection.weight', 'blk.*.proj.weight'],
    ['layers.*.per_layer_post_norm', 'model.layers.*.post_per_layer_input_norm.weight', 'blk.*.post_norm.weight'],
    ['per_layer_embed', 'model.embed_tokens_per_layer.weight', 'per_layer_token_embd.weight'],
    ['per_layer_projection', 'model.per_layer_model_projection.weight', 'per_layer_model_proj.weight'],
    ['per_layer_projection_norm', 'model.per_layer_projection_norm.weight', 'per_layer_proj_norm.weight'],
  ),
];
