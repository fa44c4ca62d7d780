import { attentionBiasNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, type TensorName, table } from '../names.ts';

/** Files hold the experts' matrices as factors from the right, gate and up in turn; those in MXFP4 have rows of outputs (stored.ts). */
function experts(end: 'weight' | 'bias'): readonly TensorName[] {
  const suffix = end === 'bias' ? '_bias' : '';
  const transposed = end === 'weight';
  return [
    {
      ours: `layers.*.experts_gate_up${suffix}`,
      huggingFace: `model.layers.*.mlp.experts.gate_up_proj${suffix}`,
      gguf: `blk.*.ffn_gate_up_exps.${end}`,
      transform: null,
      parts: { gguf: [`blk.*.ffn_gate_exps.${end}`, `blk.*.ffn_up_exps.${end}`] },
      layout: { transposed, interleaved: true },
    },
    {
      ours: `layers.*.experts_down${suffix}`,
      huggingFace: `model.layers.*.mlp.experts.down_proj${suffix}`,
      gguf: `blk.*.ffn_down_exps.${end}`,
      transform: null,
      parts: { gguf: [`blk.*.ffn_down_exps.${end}`] },
      ...(transposed && { layout: { transposed, interleaved: false } }),
    },
  ];
}

export const names: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames,
  ...table(
    ['layers.*.sinks', 'model.layers.*.self_attn.sinks', 'blk.*.attn_sinks.weight'],
    ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
    ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.post_attention_norm.weight'],
    ['layers.*.router', 'model.layers.*.mlp.router.weight', 'blk.*.ffn_gate_inp.weight'],
    ['layers.*.router_bias', 'model.layers.*.mlp.router.bias', 'blk.*.ffn_gate_inp.bias'],
  ),
  ...experts('weight'),
  ...experts('bias'),
];
