import { scheduleFreeAdamwOp, scheduleFreeMixOp, type Tensor } from '@anneal/kernels';
import type { AdamwOptions } from './adamw.ts';
import { type Mover, stateLike, stepInput } from './mover.ts';

/** The parameters are y, where gradients are taken; x, the mean of all z, is what is learned. */
export function scheduleFreeAdamw(options: AdamwOptions): Mover {
  return {
    takes: () => true,
    average: 'x',
    beginAsParameters: ['x', 'z'],
    prepare: (variables, group) => {
      const { index, parameter, gradient, weightDecay } = group;
      const [z, x, v] = ['z', 'x', 'v'].map((part) => stateLike(variables, group, part)) as [Tensor, Tensor, Tensor];
      const state = variables.get(`optimizer/mix.${index}`, { shape: [2], dtype: 'f64', kind: 'optimizer' });
      return (graph, { clip, learningRate }) => {
        const { mix } = graph.apply(scheduleFreeMixOp, { state, learningRate });
        graph.apply(
          scheduleFreeAdamwOp,
          { parameter, gradient, z, x, v, mix, clip, learningRate, step: stepInput(graph) },
          { ...options, weightDecay },
        );
      };
    },
  };
}
