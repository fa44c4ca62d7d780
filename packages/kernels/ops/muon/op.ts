import { defineOp, type Extents } from '../../src/op.ts';

/** Elements of a partial sum on CUDA: kBlock in muon.cuda.cu. */
const SUM_ELEMENTS = 16384;

/** M ≤ N: a matrix with more rows than columns is turned over, so that products with itself are of the smaller extent. */
function turned({ R, C }: Extents): Extents {
  const [rows, columns] = [Number(R), Number(C)];
  return { M: Math.min(rows, columns), N: Math.max(rows, columns) };
}

/**
 * The first half of a step of Muon (Jordan et al. 2024), in the order of torch.optim.Muon with Nesterov's momentum: the momentum follows
 * the gradient, and what lies between both is divided by its norm. `clip` scales the gradient.
 */
export const muonDirectionOp = defineOp({
  name: 'muon_direction',
  inputs: { gradient: 'f32[R,C]', m: 'f32[R,C]', clip: 'f32[1]' },
  outputs: { newM: 'f32[R,C]', direction: 'f32[M,N]' },
  attributes: ['momentum'],
  updates: { newM: 'm' },
  derive: turned,
  workspace: ({ R = 0, C = 0 }, { device }) => 8 * (device === 'cuda' ? Math.ceil((R * C) / SUM_ELEMENTS) + 1 : R),
  flops: ({ R = 0, C = 0 }) => 9 * R * C,
});

/** The second half: decay the parameter, then move it along the orthogonal matrix, by learningRate · √max(1, rows / columns). */
export const muonApplyOp = defineOp({
  name: 'muon_apply',
  inputs: { parameter: 'f32[R,C]', direction: 'f32[M,N]', learningRate: 'f32[1]' },
  outputs: { newParameter: 'f32[R,C]' },
  attributes: ['weightDecay'],
  updates: { newParameter: 'parameter' },
  flops: ({ R = 0, C = 0 }) => 3 * R * C,
});
