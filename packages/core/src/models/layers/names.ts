import { type NameTable, table } from '../names.ts';

/** Embedding, last norm and head. */
export const outerNames = table(
  ['embed', 'model.embed_tokens.weight', 'token_embd.weight'],
  ['final_norm', 'model.norm.weight', 'output_norm.weight'],
  ['lm_head', 'lm_head.weight', 'output.weight'],
);

/** Norms before attention and MLP only. */
export const normNames = table(
  ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
  ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.ffn_norm.weight'],
);

/** Queries and keys, where GGUF has their rows in Hugging Face's order. */
export const queryKeyNames = table(
  ['layers.*.q', 'model.layers.*.self_attn.q_proj.weight', 'blk.*.attn_q.weight'],
  ['layers.*.k', 'model.layers.*.self_attn.k_proj.weight', 'blk.*.attn_k.weight'],
);

/** Queries and keys, where GGUF has the rows of each head in the order of its `llama`. */
export const permutedQueryKeyNames = table(
  ['layers.*.q', 'model.layers.*.self_attn.q_proj.weight', 'blk.*.attn_q.weight', 'permuteHeads'],
  ['layers.*.k', 'model.layers.*.self_attn.k_proj.weight', 'blk.*.attn_k.weight', 'permuteHeads'],
);

export const valueOutputNames = table(
  ['layers.*.v', 'model.layers.*.self_attn.v_proj.weight', 'blk.*.attn_v.weight'],
  ['layers.*.o', 'model.layers.*.self_attn.o_proj.weight', 'blk.*.attn_output.weight'],
);

export const attentionBiasNames = table(
  ['layers.*.q_bias', 'model.layers.*.self_attn.q_proj.bias', 'blk.*.attn_q.bias'],
  ['layers.*.k_bias', 'model.layers.*.self_attn.k_proj.bias', 'blk.*.attn_k.bias'],
  ['layers.*.v_bias', 'model.layers.*.self_attn.v_proj.bias', 'blk.*.attn_v.bias'],
  ['layers.*.o_bias', 'model.layers.*.self_attn.o_proj.bias', 'blk.*.attn_output.bias'],
);

export const mlpNames = table(
  ['layers.*.gate', 'model.layers.*.mlp.gate_proj.weight', 'blk.*.ffn_gate.weight'],
  ['layers.*.up', 'model.layers.*.mlp.up_proj.weight', 'blk.*.ffn_up.weight'],
  ['layers.*.down', 'model.layers.*.mlp.down_proj.weight', 'blk.*.ffn_down.weight'],
);

/** Router and experts. Files of transformers 5 may hold each matrix of all experts as one tensor, as we do; published ones do not. */
export const expertNames: NameTable = [
  ...table(['layers.*.router', 'model.layers.*.mlp.gate.weight', 'blk.*.ffn_gate_inp.weight']),
  {
    ours: 'layers.*.experts_gate_up',
    huggingFace: 'model.layers.*.mlp.experts.gate_up_proj',
    gguf: 'blk.*.ffn_gate_up_exps.weight',
    transform: null,
    parts: {
      huggingFace: ['model.layers.*.mlp.experts.#.gate_proj.weight', 'model.layers.*.mlp.experts.#.up_proj.weight'],
      gguf: ['blk.*.ffn_gate_exps.weight', 'blk.*.ffn_up_exps.weight'],
    },
  },
  {
    ours: 'layers.*.experts_down',
    huggingFace: 'model.layers.*.mlp.experts.down_proj',
    gguf: 'blk.*.ffn_down_exps.weight',
    transform: null,
    parts: { huggingFace: ['model.layers.*.mlp.experts.#.down_proj.weight'], gguf: ['blk.*.ffn_down_exps.weight'] },
  },
];

/** What most decoders have under the same names: all but queries, keys and biases. */
export const decoderNames: NameTable = [...outerNames, ...normNames, ...valueOutputNames, ...mlpNames];
