import { blockNames, perLayerNames } from '../gemma4/names.ts';
import { mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Of each stream but the first; GGUF has those of all streams as one tensor. */
const streamNames = table(
  ...[0, 1, 2].flatMap((i) => [
    [`altup_in_${i + 1}`, `model.altup_projections.${i}.weight`, `altup_proj.weight[${i}]`] as const,
    [`altup_out_${i + 1}`, `model.altup_unembed_projections.${i}.weight`, `altup_unembd_proj.weight[${i}]`] as const,
  ]),
);

export const names: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...mlpNames,
  ...blockNames,
  ...perLayerNames,
  ...streamNames,
  ...table(
    ['layers.*.altup_router_norm', 'model.layers.*.altup.router_norm.weight', 'blk.*.altup_router_norm.weight'],
    ['layers.*.altup_router', 'model.layers.*.altup.modality_router.weight', 'blk.*.altup_router.weight'],
    ['layers.*.altup_predict', 'model.layers.*.altup.prediction_coefs.weight', 'blk.*.altup_predict_coef.weight'],
    ['layers.*.altup_correct', 'model.layers.*.altup.correction_coefs.weight', 'blk.*.altup_correct_coef.weight'],
    ['layers.*.altup_scale', 'model.layers.*.altup.correct_output_scale', 'blk.*.altup_correct_scale.weight'],
    ['layers.*.laurel_left', 'model.layers.*.laurel.linear_left.weight', 'blk.*.laurel_l.weight'],
    ['layers.*.laurel_right', 'model.layers.*.laurel.linear_right.weight', 'blk.*.laurel_r.weight'],
    ['layers.*.laurel_norm', 'model.layers.*.laurel.post_laurel_norm.weight', 'blk.*.laurel_post_norm.weight'],
  ),
];
