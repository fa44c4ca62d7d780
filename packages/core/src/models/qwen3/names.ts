import { decoderNames } from '../layers/names.ts';
import { table } from '../names.ts';

export const names = [
  ...decoderNames,
  ...table(
    ['layers.*.q', 'model.layers.*.self_attn.q_proj.weight', 'blk.*.attn_q.weight'],
    ['layers.*.k', 'model.layers.*.self_attn.k_proj.weight', 'blk.*.attn_k.weight'],
    ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
    ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
    ['layers.*.q_bias', 'model.layers.*.self_attn.q_proj.bias', 'blk.*.attn_q.bias'],
    ['layers.*.k_bias', 'model.layers.*.self_attn.k_proj.bias', 'blk.*.attn_k.bias'],
    ['layers.*.v_bias', 'model.layers.*.self_attn.v_proj.bias', 'blk.*.attn_v.bias'],
    ['layers.*.o_bias', 'model.layers.*.self_attn.o_proj.bias', 'blk.*.attn_output.bias'],
  ),
];
