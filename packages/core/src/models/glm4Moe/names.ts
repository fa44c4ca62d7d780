import { routedNames } from '../deepseekV3/names.ts';
import { attentionBiasNames, decoderNames, queryKeyNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

export const names: NameTable = [
  ...decoderNames.filter(({ ours }) => ours !== 'layers.*.mlp_norm'),
  ...queryKeyNames,
  ...attentionBiasNames.filter(({ ours }) => ours !== 'layers.*.o_bias'),
  ...routedNames,
  ...table(
    ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.post_attention_norm.weight'],
    ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
    ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
  ),
];
