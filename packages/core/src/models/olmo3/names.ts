import { attentionBiasNames, mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

export const names: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames,
  ...mlpNames,
  ...table(
    ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
    ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
    [
      'layers.*.attention_post_norm',
      'model.layers.*.post_attention_layernorm.weight',
      'blk.*.post_attention_norm.weight',
    ],
    ['layers.*.mlp_post_norm', 'model.layers.*.post_feedforward_layernorm.weight', 'blk.*.post_ffw_norm.weight'],
  ),
];
