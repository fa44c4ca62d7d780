import { lionOp } from '@anneal/kernels';
import { type Mover, stateLike } from './mover.ts';

export interface LionOptions {
  /** Of the momentum in the direction of a step. */
  readonly beta1: number;
  /** Of the momentum from step to step. */
  readonly beta2: number;
}

export function lion(options: LionOptions): Mover {
  return {
    takes: () => true,
    prepare: (variables, group) => {
      const { parameter, gradient, weightDecay } = group;
      const m = stateLike(variables, group, 'm');
      return (graph, inputs) => graph.apply(lionOp, { parameter, gradient, m, ...inputs }, { ...options, weightDecay });
    },
  };
}
