import { normNames, outerNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Gate and up in one matrix, which GGUF names as if it were up alone. */
export const fusedMlpNames = table(
  ['layers.*.gate_up', 'model.layers.*.mlp.gate_up_proj.weight', 'blk.*.ffn_up.weight'],
  ['layers.*.down', 'model.layers.*.mlp.down_proj.weight', 'blk.*.ffn_down.weight'],
);

export const names: NameTable = [
  ...outerNames,
  ...normNames,
  ...table(
    ['layers.*.qkv', 'model.layers.*.self_attn.qkv_proj.weight', 'blk.*.attn_qkv.weight'],
    ['layers.*.o', 'model.layers.*.self_attn.o_proj.weight', 'blk.*.attn_output.weight'],
  ),
  ...fusedMlpNames,
];
