import { adamw8bitOp, adamwOp, momentBlock, type Tensor } from '@anneal/kernels';
import { elementsOf, type Mover, stateLike, stateName, stepInput } from './mover.ts';

export interface AdamwOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Of an element of each moment. */
export type MomentBits = 32 | 8;

/** Parameters with fewer elements keep moments in float32: bitsandbytes' min_8bit_size. */
const leastElementsIn8Bits = 4096;

export function adamw(options: AdamwOptions, takes: Mover['takes'] = () => true): Mover {
  return {
    takes,
    prepare: (variables, group) => {
      const { parameter, gradient, weightDecay } = group;
      const [m, v] = [stateLike(variables, group, 'm'), stateLike(variables, group, 'v')];
      return (graph, inputs) =>
        graph.apply(
          adamwOp,
          { parameter, gradient, m, v, ...inputs, step: stepInput(graph) },
          { ...options, weightDecay },
        );
    },
  };
}

/** Moments in 8 bits where a parameter has many. */
export function adamw8bit(options: AdamwOptions): readonly Mover[] {
  return [adamw(options, isSmall), codedAdamw(options)];
}

function isSmall(parameter: Tensor): boolean {
  return elementsOf(parameter) < leastElementsIn8Bits;
}

function codedAdamw(options: AdamwOptions): Mover {
  return {
    takes: () => true,
    prepare: (variables, { index, members, parameter, gradient, weightDecay }) => {
      const flat = (part: string, dtype: 'f32' | 'u8', shapes: readonly number[][], alignment?: number) => {
        const states = members.map(({ name }, i) =>
          variables.get(stateName(name, part), { shape: shapes[i] ?? [], dtype, kind: 'optimizer' }),
        );
        return variables.group(`${part}.${index}`, states, alignment);
      };
      const blocks = members.map((member) => Math.ceil(elementsOf(member) / momentBlock));
      const codes = blocks.map((count) => [count, momentBlock]);
      // Parameters begin at whole blocks, so the absmaxes of one follow directly upon those of another.
      const absmaxes = blocks.map((count) => [count]);
      const moments = {
        m: flat('m', 'u8', codes),
        mAbsmax: flat('m_absmax', 'f32', absmaxes, 1),
        v: flat('v', 'u8', codes),
        vAbsmax: flat('v_absmax', 'f32', absmaxes, 1),
      };
      return (graph, inputs) =>
        graph.apply(
          adamw8bitOp,
          { parameter, gradient, ...moments, ...inputs, step: stepInput(graph) },
          { ...options, weightDecay },
        );
    },
  };
}
