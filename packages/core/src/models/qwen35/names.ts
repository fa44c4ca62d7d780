import { mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Of all of Qwen3.5, dense or with experts. */
export const namesBesideMlp: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...table(
    ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
    ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.post_attention_norm.weight'],
    ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
    ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
    ['layers.*.delta_qkv', 'model.layers.*.linear_attn.in_proj_qkv.weight', 'blk.*.attn_qkv.weight'],
    ['layers.*.delta_z', 'model.layers.*.linear_attn.in_proj_z.weight', 'blk.*.attn_gate.weight'],
    ['layers.*.delta_b', 'model.layers.*.linear_attn.in_proj_b.weight', 'blk.*.ssm_beta.weight'],
    ['layers.*.delta_a', 'model.layers.*.linear_attn.in_proj_a.weight', 'blk.*.ssm_alpha.weight'],
    ['layers.*.delta_conv', 'model.layers.*.linear_attn.conv1d.weight', 'blk.*.ssm_conv1d.weight'],
    ['layers.*.delta_decay', 'model.layers.*.linear_attn.A_log', 'blk.*.ssm_a'],
    ['layers.*.delta_shift', 'model.layers.*.linear_attn.dt_bias', 'blk.*.ssm_dt.bias'],
    ['layers.*.delta_norm', 'model.layers.*.linear_attn.norm.weight', 'blk.*.ssm_norm.weight'],
    ['layers.*.delta_out', 'model.layers.*.linear_attn.out_proj.weight', 'blk.*.ssm_out.weight'],
  ),
];

export const names: NameTable = [...namesBesideMlp, ...mlpNames];
