import { blockNames, perLayerNames } from '../gemma4/names.ts';
import { mlpNames, outerNames, queryKeyNames, valueOutputNames } from '../layers/names.ts';
import { type NameTable, table } from '../names.ts';

/** Of each stream but the first; GGUF has those of all streams as one tensor. */
const streamNames: NameTable = ['in', 'out'].flatMap((way) => {
  const [huggingFace, gguf] = way === 'in' ? ['projections', 'proj'] : ['unembed_projections', 'unembd_proj'];
  return [0, 1, 2].map((i) => ({
    ours: `altup_${way}_${i + 1}`,
    huggingFace: `model.altup_${huggingFace}.${i}.weight`,
    gguf: `altup_${gguf}.weight[${i}]`,
    transform: null,
    parts: { ofOne: { index: i, count: 3 }, gguf: [`altup_${gguf}.weight`] },
  }));
});

/** GGUF has a row for every token of the vocabulary. */
const tableNames: NameTable = perLayerNames.map((row) =>
  row.ours === 'per_layer_embed' ? { ...row, parts: { ofOne: 'padded', gguf: [row.gguf] } } : row,
);

export const names: NameTable = [
  ...outerNames,
  ...queryKeyNames,
  ...valueOutputNames,
  ...mlpNames,
  ...blockNames,
  ...tableNames,
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
