import {
  type Graph,
  linear,
  linearBackwardInputOp,
  muonApplyOp,
  muonDirectionOp,
  scale,
  type Tensor,
} from '@anneal/kernels';
import { type AdamwOptions, adamw } from './adamw.ts';
import { isEmbeddingOrHead, type Mover, stateName } from './mover.ts';

/** Of the gradient's running mean; torch.optim.Muon's default. */
const momentum = 0.95;

/** Jordan's quintic: the slope at 0 is as large as singular values of at most 1 allow. */
const quintic = { a: 3.4445, b: -4.775, c: 2.0315 };
const iterations = 5;

/** Matrices inside the model by Muon; vectors, convolutions, embedding and output layer by AdamW, as torch advises. */
export function muon(options: AdamwOptions): readonly Mover[] {
  return [matrixMuon, adamw(options)];
}

const matrixMuon: Mover = {
  takes: (parameter) => {
    return parameter.shape.length === 2 && !isEmbeddingOrHead(parameter) && !parameter.name.endsWith('.conv');
  },
  prepare: (variables, { members, weightDecay }) => {
    const momentums = members.map(({ name, shape }) =>
      variables.get(stateName(name, 'm'), { shape: shape as number[], dtype: 'f32', kind: 'optimizer' }),
    );
    return (graph, { clip, learningRate }) => {
      for (const [i, parameter] of members.entries()) {
        const inputs = { gradient: variables.gradientOf(parameter), m: momentums[i] as Tensor, clip };
        const { direction } = graph.apply(muonDirectionOp, inputs, { momentum });
        const along = orthogonal(graph, direction);
        graph.apply(muonApplyOp, { parameter, direction: along, learningRate }, { weightDecay });
      }
    };
  },
};

/** Newton and Schulz' iteration: singular values of a matrix, M ≤ N, go towards 1, its singular vectors stay. */
function orthogonal(graph: Graph, matrix: Tensor): Tensor {
  const { a, b, c } = quintic;
  let x = matrix;
  for (let i = 0; i < iterations; i++) {
    const square = linear(x, x, { bf16: false }); // x · xᵀ, which is its own transpose, as are its powers
    const polynomial = linear(square, square, { alpha: c, bf16: false, plus: scale(square, b) });
    const sum = { dy: polynomial, weight: x, c: scale(x, a) }; // polynomial · x + a · x
    x = graph.apply(linearBackwardInputOp, sum, { alpha: 1, bf16: 0 }).dx;
  }
  return x;
}
