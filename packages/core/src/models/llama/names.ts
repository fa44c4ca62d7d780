import { decoderNames } from '../layers/names.ts';
import { table } from '../names.ts';

export const names = [
  ...decoderNames,
  ...table(
    ['layers.*.q', 'model.layers.*.self_attn.q_proj.weight', 'blk.*.attn_q.weight', 'permuteHeads'],
    ['layers.*.k', 'model.layers.*.self_attn.k_proj.weight', 'blk.*.attn_k.weight', 'permuteHeads'],
    ['layers.*.q_bias', 'model.layers.*.self_attn.q_proj.bias', 'blk.*.attn_q.bias', 'permuteHeads'],
    ['layers.*.k_bias', 'model.layers.*.self_attn.k_proj.bias', 'blk.*.attn_k.bias', 'permuteHeads'],
    ['layers.*.v_bias', 'model.layers.*.self_attn.v_proj.bias', 'blk.*.attn_v.bias'],
    ['layers.*.o_bias', 'model.layers.*.self_attn.o_proj.bias', 'blk.*.attn_output.bias'],
    ['layers.*.gate_bias', 'model.layers.*.mlp.gate_proj.bias', 'blk.*.ffn_gate.bias'],
    ['layers.*.up_bias', 'model.layers.*.mlp.up_proj.bias', 'blk.*.ffn_up.bias'],
    ['layers.*.down_bias', 'model.layers.*.mlp.down_proj.bias', 'blk.*.ffn_down.bias'],
  ),
];
