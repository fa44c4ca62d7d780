import { averageOp } from '@anneal/kernels';
import { type Mover, stateLike, stepInput } from './mover.ts';

/** The same moves, and an exponential moving average of the parameters, which is what is evaluated, sampled, saved and exported. */
export function withEma(mover: Mover, decay: number): Mover {
  return {
    takes: (parameter) => mover.takes(parameter),
    average: 'ema',
    beginAsParameters: [...(mover.beginAsParameters ?? []), 'ema'],
    prepare: (variables, group) => {
      const move = mover.prepare(variables, group);
      const average = stateLike(variables, group, 'ema');
      return (graph, inputs) => {
        move(graph, inputs);
        graph.apply(averageOp, { parameter: group.parameter, average, step: stepInput(graph) }, { decay });
      };
    },
  };
}
