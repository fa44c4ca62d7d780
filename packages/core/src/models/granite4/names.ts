import { attentionBiasNames, normNames, outerNames, permutedQueryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

export const names: NameTable = [
  ...outerNames,
  ...normNames,
  ...permutedQueryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames,
  ...table(
    ['layers.*.gate_up', 'model.layers.*.shared_mlp.input_linear.weight', 'blk.*.ffn_up.weight'],
    ['layers.*.down', 'model.layers.*.shared_mlp.output_linear.weight', 'blk.*.ffn_down.weight'],
  ),
];
