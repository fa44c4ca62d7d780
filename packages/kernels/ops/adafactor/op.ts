import { defineOp } from '../../src/op.ts';
import { columnSumBytes, partsBytes } from '../../src/workspace.ts';

/** Rows whose sums over columns are formed together. */
const adafactorRows = 32;

/** `Found` of adafactor.cuda.cu. */
const foundBytes = 24;

/**
 * One step of Adafactor (Shazeer & Stern 2018) on a matrix, as transformers has it with `relative_step` and `scale_parameter` off: the mean
 * square of the gradient is kept as a mean for each row and one for each column, forgets by 1 - step^-0.8, and the move is scaled
 * down to a root mean square of 1. `clip` scales the gradient, `step` counts from 1.
 */
export const adafactorOp = defineOp({
  name: 'adafactor',
  inputs: {
    parameter: 'f32[R,C]',
    gradient: 'f32[R,C]',
    row: 'f32[R]',
    column: 'f32[C]',
    clip: 'f32[1]',
    learningRate: 'f32[1]',
    step: 'i32[1]',
  },
  outputs: { newParameter: 'f32[R,C]', newRow: 'f32[R]', newColumn: 'f32[C]' },
  attributes: ['weightDecay'],
  updates: { newParameter: 'parameter', newRow: 'row', newColumn: 'column' },
  workspace: ({ R = 0, C = 0 }, { device }) =>
    device === 'cuda'
      ? partsBytes(columnSumBytes(R, C), foundBytes, 4 * C, 8 * R)
      : Math.ceil(R / adafactorRows) * (8 + 4 * C),
  flops: ({ R = 0, C = 0 }) => 16 * R * C,
});

/** The same on what is no matrix: it keeps the mean square of each element. */
export const adafactorVectorOp = defineOp({
  name: 'adafactor_vector',
  inputs: {
    parameter: 'f32[*N]',
    gradient: 'f32[*N]',
    v: 'f32[*N]',
    clip: 'f32[1]',
    learningRate: 'f32[1]',
    step: 'i32[1]',
  },
  outputs: { newParameter: 'f32[*N]', newV: 'f32[*N]' },
  attributes: ['weightDecay'],
  updates: { newParameter: 'parameter', newV: 'v' },
  workspace: (_, { device }) => (device === 'cuda' ? foundBytes : 0),
  flops: ({ N = 0 }) => 14 * N,
});
