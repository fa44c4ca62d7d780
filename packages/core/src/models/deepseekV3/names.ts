import { expertNames, mlpNames, normNames, outerNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Experts chosen by sigmoids, beside a shared one. */
export const routedNames: NameTable = [
  ...expertNames,
  ...table(
    ['layers.*.router_correction', 'model.layers.*.mlp.gate.e_score_correction_bias', 'blk.*.exp_probs_b.bias'],
    ['layers.*.shared_gate', 'model.layers.*.mlp.shared_experts.gate_proj.weight', 'blk.*.ffn_gate_shexp.weight'],
    ['layers.*.shared_up', 'model.layers.*.mlp.shared_experts.up_proj.weight', 'blk.*.ffn_up_shexp.weight'],
    ['layers.*.shared_down', 'model.layers.*.mlp.shared_experts.down_proj.weight', 'blk.*.ffn_down_shexp.weight'],
  ),
];

export const names: NameTable = [
  ...outerNames,
  ...normNames,
  ...mlpNames,
  ...routedNames,
  ...table(
    ['layers.*.q', 'model.layers.*.self_attn.q_proj.weight', 'blk.*.attn_q.weight'],
    ['layers.*.q_a', 'model.layers.*.self_attn.q_a_proj.weight', 'blk.*.attn_q_a.weight'],
    ['layers.*.q_a_bias', 'model.layers.*.self_attn.q_a_proj.bias', 'blk.*.attn_q_a.bias'],
    ['layers.*.q_a_norm', 'model.layers.*.self_attn.q_a_layernorm.weight', 'blk.*.attn_q_a_norm.weight'],
    ['layers.*.q_b', 'model.layers.*.self_attn.q_b_proj.weight', 'blk.*.attn_q_b.weight'],
    ['layers.*.kv_a', 'model.layers.*.self_attn.kv_a_proj_with_mqa.weight', 'blk.*.attn_kv_a_mqa.weight'],
    ['layers.*.kv_a_bias', 'model.layers.*.self_attn.kv_a_proj_with_mqa.bias', 'blk.*.attn_kv_a_mqa.bias'],
    ['layers.*.kv_a_norm', 'model.layers.*.self_attn.kv_a_layernorm.weight', 'blk.*.attn_kv_a_norm.weight'],
    ['layers.*.o', 'model.layers.*.self_attn.o_proj.weight', 'blk.*.attn_output.weight'],
    ['layers.*.o_bias', 'model.layers.*.self_attn.o_proj.bias', 'blk.*.attn_output.bias'],
  ),
  {
    ours: 'layers.*.kv_b',
    huggingFace: 'model.layers.*.self_attn.kv_b_proj.weight',
    gguf: 'blk.*.attn_kv_b.weight',
    transform: null,
    parts: { ofOne: 'latent heads', gguf: ['blk.*.attn_k_b.weight', 'blk.*.attn_v_b.weight'] },
  },
];
