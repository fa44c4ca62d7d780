import { expertNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';
import { namesBesideMlp } from '../qwen35/names.ts';

export const names: NameTable = [
  ...namesBesideMlp,
  ...expertNames,
  ...table(
    ['layers.*.shared_expert_gate', 'model.layers.*.mlp.shared_expert_gate.weight', 'blk.*.ffn_gate_inp_shexp.weight'],
    ['layers.*.shared_gate', 'model.layers.*.mlp.shared_expert.gate_proj.weight', 'blk.*.ffn_gate_shexp.weight'],
    ['layers.*.shared_up', 'model.layers.*.mlp.shared_expert.up_proj.weight', 'blk.*.ffn_up_shexp.weight'],
    ['layers.*.shared_down', 'model.layers.*.mlp.shared_expert.down_proj.weight', 'blk.*.ffn_down_shexp.weight'],
  ),
];
