import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { addGradients, crossEntropyCases, crossEntropyRow, operandOf } from '../linear_cross_entropy/cases.ts';
import { linearLogProbabilityBackwardOp, linearLogProbabilityOp } from './op.ts';

const { shapes, attributes, fill, hard, benchmark } = crossEntropyCases;

export const linearLogProbabilityCases = casesFor(linearLogProbabilityOp, {
  shapes,
  attributes,
  fill,
  hard,
  benchmark,
  reference: (
    { x, weight, labels, rows },
    { logps },
    { extents: { R = 0, D = 0, V = 0 }, attributes: { bf16, softCap }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    for (let r = 0; r < R; r++) {
      const t = rows.at(r);
      const row = crossEntropyRow(x, weight, t, labels.at(t), V, D, operand, activationType, softCap);
      logps.add(r, 0, -row.loss, row.lossSize);
      logps.allow(r, 0, row.lossAllowed);
    }
  },
});

export const linearLogProbabilityBackwardCases = casesFor(linearLogProbabilityBackwardOp, {
  shapes,
  attributes,
  fill,
  hard: {
    ...hard,
    'rows without a gradient': {
      extents: { T: 6, D: 8, V: 20, R: 4 },
      fill: { dlogps: constant(0, 1) },
    },
    'large gradients': { extents: { T: 6, D: 8, V: 20, R: 4 }, fill: { dlogps: scaled(100) } },
  },
  benchmark,
  reference: (
    { x, weight, labels, rows, dlogps, gradient },
    { dx, gradientTotal },
    { extents: { R = 0, D = 0, V = 0 }, attributes: { bf16, softCap }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    for (let v = 0; v < V; v++) for (let d = 0; d < D; d++) gradientTotal.add(v, d, gradient.at(v, d));
    for (let r = 0; r < R; r++) {
      const t = rows.at(r);
      const row = crossEntropyRow(x, weight, t, labels.at(t), V, D, operand, activationType, softCap);
      addGradients(row, -dlogps.at(r), t, { x, weight, dx, gradientTotal }, V, D, operand);
    }
  },
});
