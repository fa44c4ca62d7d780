import { attentionBiasNames, decoderNames, queryKeyNames } from '../layers/names.ts';
import { table } from '../names.ts';

export const names = [
  ...decoderNames,
  ...queryKeyNames,
  ...attentionBiasNames,
  ...table(
    ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
    ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
  ),
];
