import { adafactorOp, adafactorVectorOp, type Tensor, type Variables } from '@anneal/kernels';
import { type Move, type Mover, stateName, stepInput } from './mover.ts';

/**
 * Of a matrix two vectors are remembered. A kernel of a convolution, of shape [D, 1, K], is moved as a vector, which is what transformers'
 * means over its last two extents come to. Each parameter is moved by itself: its mean squares and the size of its move are its own.
 */
export const adafactor: Mover = {
  takes: () => true,
  prepare: (variables, { members, weightDecay }) => {
    const moves = members.map((parameter) => moveOf(variables, parameter, weightDecay));
    return (graph, inputs) => {
      for (const move of moves) move(graph, inputs);
    };
  },
};

function moveOf(variables: Variables, parameter: Tensor, weightDecay: number): Move {
  const gradient = variables.gradientOf(parameter);
  const state = (part: string, extent: number) =>
    variables.get(stateName(parameter.name, part), { shape: [extent], dtype: 'f32', kind: 'optimizer' });
  const shape = parameter.shape as readonly number[];
  const [rows = 0, columns = 0] = shape;
  if (shape.length !== 2) {
    const elements = shape.reduce((count, extent) => count * extent, 1);
    const v = state('v', elements);
    return (graph, inputs) =>
      graph.apply(adafactorVectorOp, { parameter, gradient, v, ...inputs, step: stepInput(graph) }, { weightDecay });
  }
  const means = { row: state('row', rows), column: state('column', columns) };
  return (graph, inputs) =>
    graph.apply(adafactorOp, { parameter, gradient, ...means, ...inputs, step: stepInput(graph) }, { weightDecay });
}
