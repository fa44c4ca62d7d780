import { decoderNames } from '../layers/names.ts';
import { table } from '../names.ts';

export const names = [
  ...decoderNames,
  ...table(
    ['layers.*.q', 'model.layers.*.self_attn.q_proj.weight', 'blk.*.attn_q.weight', 'permuteHeads'],
    ['layers.*.k', 'model.layers.*.self_attn.k_proj.weight', 'blk.*.attn_k.weight', 'permuteHeads'],
  ),
];
