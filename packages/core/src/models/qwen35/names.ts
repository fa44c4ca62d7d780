import { normsPlusOne } from '../gemma2/names.ts';
import { mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type GgufTransform, type NameTable, type TensorName, table } from '../names.ts';

const valueHeads =
  (ofOne: 'value heads in rows' | 'value heads in columns', transform: GgufTransform = null) =>
  (part: string, huggingFace: string, gguf: string): TensorName => ({
    ours: `layers.*.delta_${part}`,
    huggingFace: `model.layers.*.linear_attn.${huggingFace}`,
    gguf: `blk.*.${gguf}`,
    transform,
    parts: { ofOne, gguf: [`blk.*.${gguf}`] },
  });
const inRows = valueHeads('value heads in rows');

/** Of all of Qwen3.5, dense or with experts. The norm of the gated delta rule is by plain weights. */
export const namesBesideMlp: NameTable = [
  ...normsPlusOne([
    ...outerNames,
    ...queryKeyNames,
    ...valueOutputNames,
    ...table(
      ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
      ['layers.*.mlp_norm', 'model.layers.*.post_attention_layernorm.weight', 'blk.*.post_attention_norm.weight'],
      ['layers.*.q_norm', 'model.layers.*.self_attn.q_norm.weight', 'blk.*.attn_q_norm.weight'],
      ['layers.*.k_norm', 'model.layers.*.self_attn.k_norm.weight', 'blk.*.attn_k_norm.weight'],
    ),
  ]),
  ...table(['layers.*.delta_norm', 'model.layers.*.linear_attn.norm.weight', 'blk.*.ssm_norm.weight']),
  inRows('qkv', 'in_proj_qkv.weight', 'attn_qkv.weight'),
  inRows('z', 'in_proj_z.weight', 'attn_gate.weight'),
  inRows('b', 'in_proj_b.weight', 'ssm_beta.weight'),
  inRows('a', 'in_proj_a.weight', 'ssm_alpha.weight'),
  inRows('conv', 'conv1d.weight', 'ssm_conv1d.weight'),
  valueHeads('value heads in rows', 'negativeExp')('decay', 'A_log', 'ssm_a'),
  inRows('shift', 'dt_bias', 'ssm_dt.bias'),
  valueHeads('value heads in columns')('out', 'out_proj.weight', 'ssm_out.weight'),
];

export const names: NameTable = [...namesBesideMlp, ...mlpNames];
