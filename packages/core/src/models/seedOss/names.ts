import { attentionBiasNames, mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

export const names: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames,
  ...mlpNames,
  ...table(
    ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
    ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.post_attention_norm.weight'],
    ['layers.*.gate_bias', 'model.layers.*.mlp.gate_proj.bias', 'blk.*.ffn_gate.bias'],
    ['layers.*.up_bias', 'model.layers.*.mlp.up_proj.bias', 'blk.*.ffn_up.bias'],
    ['layers.*.down_bias', 'model.layers.*.mlp.down_proj.bias', 'blk.*.ffn_down.bias'],
  ),
];
