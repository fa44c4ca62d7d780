import { attentionBiasNames, mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

const before = table(
  ['layers.*.attention_norm', 'model.layers.*.input_layernorm.weight', 'blk.*.attn_norm.weight'],
  ['layers.*.mlp_norm', 'model.layers.*.pre_feedforward_layernorm.weight', 'blk.*.ffn_norm.weight'],
);
const after = table(
  [
    'layers.*.attention_post_norm',
    'model.layers.*.post_attention_layernorm.weight',
    'blk.*.post_attention_norm.weight',
  ],
  ['layers.*.mlp_post_norm', 'model.layers.*.post_feedforward_layernorm.weight', 'blk.*.post_ffw_norm.weight'],
);

/** Weights of norms say how far they are from 1; in GGUF, what they are. */
export function normsPlusOne(names: NameTable): NameTable {
  return names.map((name) => (name.ours.endsWith('_norm') ? { ...name, transform: 'plusOne' } : name));
}

export const names = normsPlusOne([
  ...outerNames,
  ...before,
  ...queryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames,
  ...after,
  ...mlpNames,
]);
