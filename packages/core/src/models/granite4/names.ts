import { attentionBiasNames, normNames, outerNames, permutedQueryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Files hold the matrices of all experts as one, gate before up as here. */
const expertNames: NameTable = [
  ...table(['layers.*.router', 'model.layers.*.block_sparse_moe.router.layer.weight', 'blk.*.ffn_gate_inp.weight']),
  {
    ours: 'layers.*.experts_gate_up',
    huggingFace: 'model.layers.*.block_sparse_moe.input_linear.weight',
    gguf: 'blk.*.ffn_gate_up_exps.weight',
    transform: null,
    parts: { gguf: ['blk.*.ffn_gate_exps.weight', 'blk.*.ffn_up_exps.weight'] },
  },
  {
    ours: 'layers.*.experts_down',
    huggingFace: 'model.layers.*.block_sparse_moe.output_linear.weight',
    gguf: 'blk.*.ffn_down_exps.weight',
    transform: null,
    parts: { gguf: ['blk.*.ffn_down_exps.weight'] },
  },
];

const blockNames: NameTable = [
  ...expertNames,
  ...outerNames,
  ...normNames,
  ...permutedQueryKeyNames,
  ...valueOutputNames,
  ...attentionBiasNames,
  ...table(
    ['layers.*.ssm_in', 'model.layers.*.mamba.in_proj.weight', 'blk.*.ssm_in.weight'],
    ['layers.*.ssm_conv', 'model.layers.*.mamba.conv1d.weight', 'blk.*.ssm_conv1d.weight'],
    ['layers.*.ssm_conv_bias', 'model.layers.*.mamba.conv1d.bias', 'blk.*.ssm_conv1d.bias'],
    ['layers.*.ssm_dt_bias', 'model.layers.*.mamba.dt_bias', 'blk.*.ssm_dt.bias'],
    ['layers.*.ssm_decay', 'model.layers.*.mamba.A_log', 'blk.*.ssm_a', 'negativeExp'],
    ['layers.*.ssm_skip', 'model.layers.*.mamba.D', 'blk.*.ssm_d', 'column'],
    ['layers.*.ssm_norm', 'model.layers.*.mamba.norm.weight', 'blk.*.ssm_norm.weight'],
    ['layers.*.ssm_out', 'model.layers.*.mamba.out_proj.weight', 'blk.*.ssm_out.weight'],
  ),
];

/** GGUF has the MLP that every token goes through under another name beside experts. */
const mlpNames = (suffix: '' | '_shexp'): NameTable => [
  ...table(['layers.*.down', 'model.layers.*.shared_mlp.output_linear.weight', `blk.*.ffn_down${suffix}.weight`]),
  {
    ours: 'layers.*.gate_up',
    huggingFace: 'model.layers.*.shared_mlp.input_linear.weight',
    gguf: `blk.*.ffn_gate_up${suffix}.weight`,
    transform: null,
    parts: { ofOne: 'rows', gguf: [`blk.*.ffn_gate${suffix}.weight`, `blk.*.ffn_up${suffix}.weight`] },
  },
];

export const names: NameTable = [...blockNames, ...mlpNames('')];
export const namesBesideExperts: NameTable = [...blockNames, ...mlpNames('_shexp')];
