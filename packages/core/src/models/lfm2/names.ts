import { queryKeyNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

export const names: NameTable = [
  ...table(
    ['embed', 'model.embed_tokens.weight', 'token_embd.weight'],
    ['final_norm', 'model.embedding_norm.weight', 'token_embd_norm.weight'],
    ['lm_head', 'lm_head.weight', 'output.weight'],
    ['layers.*.attention_norm', 'model.layers.*.operator_norm.weight', 'blk.*.attn_norm.weight'],
    ['layers.*.mlp_norm', 'model.layers.*.ffn_norm.weight', 'blk.*.ffn_norm.weight'],
  ),
  ...queryKeyNames,
  ...table(
    ['layers.*.v', 'model.layers.*.self_attn.v_proj.weight', 'blk.*.attn_v.weight'],
    ['layers.*.o', 'model.layers.*.self_attn.out_proj.weight', 'blk.*.attn_output.weight'],
    ['layers.*.q_norm', 'model.layers.*.self_attn.q_layernorm.weight', 'blk.*.attn_q_norm.weight'],
    ['layers.*.k_norm', 'model.layers.*.self_attn.k_layernorm.weight', 'blk.*.attn_k_norm.weight'],
    ['layers.*.conv_in', 'model.layers.*.conv.in_proj.weight', 'blk.*.shortconv.in_proj.weight'],
    ['layers.*.conv', 'model.layers.*.conv.conv.weight', 'blk.*.shortconv.conv.weight'],
    ['layers.*.conv_out', 'model.layers.*.conv.out_proj.weight', 'blk.*.shortconv.out_proj.weight'],
    ['layers.*.gate', 'model.layers.*.feed_forward.w1.weight', 'blk.*.ffn_gate.weight'],
    ['layers.*.up', 'model.layers.*.feed_forward.w3.weight', 'blk.*.ffn_up.weight'],
    ['layers.*.down', 'model.layers.*.feed_forward.w2.weight', 'blk.*.ffn_down.weight'],
  ),
];
