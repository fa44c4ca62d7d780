import { clipScaleOp, type Graph, squareSumOp, type Tensor, type Variables } from '@anneal/kernels';
import { adafactor } from './optimizers/adafactor.ts';
import { type AdamwOptions, adamw, adamw8bit, type MomentBits } from './optimizers/adamw.ts';
import { withEma } from './optimizers/ema.ts';
import { type LionOptions, lion } from './optimizers/lion.ts';
import {
  elementsOf,
  type Group,
  isEmbeddingOrHead,
  type Move,
  type Mover,
  stateLike,
  stateName,
} from './optimizers/mover.ts';
import { muon } from './optimizers/muon.ts';
import { scheduleFreeAdamw } from './optimizers/scheduleFree.ts';

export type OptimizerOptions = Method & {
  /** Share of a parameter that a step takes away, over the learning rate. */
  readonly weightDecay: number;
  /** 0: gradients are not clipped. */
  readonly maxGradNorm: number;
  /** The learning rate of embedding and output layer, by that of all else; 1, as where nothing is said: the same. */
  readonly embeddingRate?: number;
  /** Of the moving average that stands for the parameters wherever they are used; 0, as where nothing is said: none. */
  readonly emaDecay?: number;
};

export type Method =
  | ({ readonly kind: 'adamw'; readonly momentBits: MomentBits } & AdamwOptions)
  | ({ readonly kind: 'lion' } & LionOptions)
  | { readonly kind: 'adafactor' }
  /** Of AdamW, which moves what is no matrix. */
  | ({ readonly kind: 'muon' } & AdamwOptions)
  | ({ readonly kind: 'schedule_free_adamw' } & AdamwOptions);

/** AdamW as a recipe that says nothing of it has it. */
export const usualAdamw = {
  kind: 'adamw',
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  momentBits: 32,
} as const satisfies OptimizerOptions;

/** With what a recipe does not say. */
export type DecidedOptimizer = OptimizerOptions & {
  /** Whether a parameter decays; transformers' Trainer leaves out norms and biases. */
  readonly decays: (parameter: Tensor) => boolean;
};

/** Every parameter has one that takes it. */
function moversOf(method: Method): readonly Mover[] {
  switch (method.kind) {
    case 'adamw': {
      const { beta1, beta2, epsilon, momentBits } = method;
      const options = { beta1, beta2, epsilon };
      return momentBits === 8 ? adamw8bit(options) : [adamw(options)];
    }
    case 'lion': {
      const { beta1, beta2 } = method;
      return [lion({ beta1, beta2 })];
    }
    case 'adafactor':
      return [adafactor];
    case 'muon': {
      const { beta1, beta2, epsilon } = method;
      return muon({ beta1, beta2, epsilon });
    }
    case 'schedule_free_adamw': {
      const { beta1, beta2, epsilon } = method;
      return [scheduleFreeAdamw({ beta1, beta2, epsilon })];
    }
  }
}

export interface ParameterGroup extends Group {
  /** Whether it has the learning rate of embedding and output layer, which is another than that of all else. */
  readonly hasEmbeddingRate: boolean;
  /** In bfloat16; null where products read the parameters themselves. */
  readonly copy: Tensor | null;
  readonly move: Move;
  /** What is evaluated, sampled, saved and exported in place of the parameters, where that is something else. */
  readonly average: Tensor | null;
  /** Names of the variables that begin as a parameter, with its name. */
  readonly beginsAs: ReadonlyMap<string, string>;
}

/** Extents cross the native boundary as 32-bit integers. */
const maxGroupElements = 2 ** 30;

export function parameterGroups(
  variables: Variables,
  parameters: readonly Tensor[],
  { decays, weightDecay: rate, emaDecay = 0, embeddingRate = 1, ...method }: DecidedOptimizer,
  copies: boolean,
): ParameterGroup[] {
  const movers = moversOf(method).map((mover) => (emaDecay > 0 ? withEma(mover, emaDecay) : mover));
  const moverOf = (parameter: Tensor) => movers.find((mover) => mover.takes(parameter));
  const separate = (parameter: Tensor) => embeddingRate !== 1 && isEmbeddingOrHead(parameter);
  const alike = [true, false].flatMap((decay) =>
    [false, true].flatMap((hasEmbeddingRate) =>
      movers.flatMap((mover) => {
        const members = parameters.filter((each) => {
          return decays(each) === decay && separate(each) === hasEmbeddingRate && moverOf(each) === mover;
        });
        const weightDecay = decay ? rate : 0;
        return pieces(variables, members).map((piece) => ({ members: piece, mover, weightDecay, hasEmbeddingRate }));
      }),
    ),
  );
  return alike.map(({ members, mover, weightDecay, hasEmbeddingRate }, index) => {
    const flat = (name: string, of: (parameter: Tensor) => Tensor) =>
      variables.group(`${name}.${index}`, members.map(of));
    const group: Group = {
      index,
      members,
      parameter: flat('parameters', (parameter) => parameter),
      gradient: flat('gradients', (parameter) => variables.gradientOf(parameter)),
      weightDecay,
    };
    const copy = copies ? flat('copies', (parameter) => variables.copyOf(parameter)) : null;
    const move = mover.prepare(variables, group);
    const average = mover.average === undefined ? null : stateLike(variables, group, mover.average);
    const beginsAs = (mover.beginAsParameters ?? []).flatMap((part) =>
      members.map(({ name }) => [stateName(name, part), name] as const),
    );
    return { ...group, hasEmbeddingRate, copy, move, average, beginsAs: new Map(beginsAs) };
  });
}

/** In order, each with at most `maxGroupElements` elements, or a stack's more; none is empty. */
function pieces(variables: Variables, members: readonly Tensor[]): Tensor[][] {
  const found: Tensor[][] = [];
  let room = 0;
  for (const member of members) {
    const elements = elementsOf(member);
    if (found.length === 0 || (elements > room && !variables.continuesStack(member))) {
      found.push([]);
      room = maxGroupElements;
    }
    found.at(-1)?.push(member);
    room -= elements;
  }
  return found;
}

/**
 * Clips the gradients of all groups together and moves their parameters.
 * @param squareSum zero before
 * @returns the norm of the gradients before clipping
 */
export function updateGroups(
  graph: Graph,
  groups: readonly ParameterGroup[],
  squareSum: Tensor,
  maxGradNorm: number,
): Tensor {
  const rateOf = (group: ParameterGroup) =>
    graph.input(group.hasEmbeddingRate ? 'embeddingLearningRate' : 'learningRate', 'f32', [1]);
  let sum = squareSum;
  for (const { gradient } of groups) sum = graph.apply(squareSumOp, { x: gradient, sum }).total;
  const { norm, scale: clip } = graph.apply(clipScaleOp, { sum }, { maxNorm: maxGradNorm });
  for (const group of groups) group.move(graph, { clip, learningRate: rateOf(group) });
  return norm;
}
