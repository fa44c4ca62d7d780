import { table } from '../names.ts';

/** The tensors that every decoder here has under the same names: embedding, norms, attention output, SwiGLU, head. */
export const decoderNames = table(
  ['embed', 'model.embed_tokens.weight', 'token_embd.weight'],
  ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
  ['layers.*.v', 'model.layers.*.self_attn.v_proj.weight', 'blk.*.attn_v.weight'],
  ['layers.*.o', 'model.layers.*.self_attn.o_proj.weight', 'blk.*.attn_output.weight'],
  ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.ffn_norm.weight'],
  ['layers.*.gate', 'model.layers.*.mlp.gate_proj.weight', 'blk.*.ffn_gate.weight'],
  ['layers.*.up', 'model.layers.*.mlp.up_proj.weight', 'blk.*.ffn_up.weight'],
  ['layers.*.down', 'model.layers.*.mlp.down_proj.weight', 'blk.*.ffn_down.weight'],
  ['final_norm', 'model.norm.weight', 'output_norm.weight'],
  ['lm_head', 'lm_head.weight', 'output.weight'],
);
