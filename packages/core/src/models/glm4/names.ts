import { attentionBiasNames, normNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';
import { fusedMlpNames } from '../phi3/names.ts';

export const names: NameTable = [
  ...outerNames,
  ...normNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames.filter(({ ours }) => ours !== 'layers.*.o_bias'),
  ...fusedMlpNames,
  ...table(
    [
      'layers.*.attention_post_norm',
      'model.layers.*.post_self_attn_layernorm.weight',
      'blk.*.post_attention_norm.weight',
    ],
    ['layers.*.mlp_post_norm', 'model.layers.*.post_mlp_layernorm.weight', 'blk.*.post_ffw_norm.weight'],
  ),
];
