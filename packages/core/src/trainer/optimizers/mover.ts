import type { Graph, Tensor, Variables } from '@anneal/kernels';

/** How some parameters follow their gradients. */
export interface Mover {
  /** Whether it moves this one; an optimizer asks its movers in their order. */
  takes(parameter: Tensor): boolean;
  /** Declares what it remembers of a group, variables of kind `optimizer`; returns what moves the group. */
  prepare(variables: Variables, group: Group): Move;
  /** The part of its state that is evaluated, sampled, saved and exported in place of the parameters. */
  readonly average?: string;
  /** Parts of its state that begin as the parameters; all others begin as zero. */
  readonly beginAsParameters?: readonly string[];
}

/** Parameters that are moved alike, with their gradients: each a flat tensor over all members, in one order. */
export interface Group {
  /** Of the group among all. */
  readonly index: number;
  readonly members: readonly Tensor[];
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly weightDecay: number;
}

/** Extends the program `update`. */
export type Move = (graph: Graph, step: StepInputs) => void;

export interface StepInputs {
  /** What gradients are multiplied by. */
  readonly clip: Tensor;
  readonly learningRate: Tensor;
}

/** The number of the optimizer step, counted from 1. */
export function stepInput(graph: Graph): Tensor {
  return graph.input('step', 'i32', [1]);
}

/** Of the part of what is remembered of a parameter. */
export function stateName(parameter: string, part: string): string {
  return `optimizer/${parameter}.${part}`;
}

/** A float32 number for each of the group's, as one flat tensor. */
export function stateLike(variables: Variables, { index, members }: Group, part: string): Tensor {
  const states = members.map(({ name, shape }) =>
    variables.get(stateName(name, part), { shape: shape as number[], dtype: 'f32', kind: 'optimizer' }),
  );
  return variables.group(`${part}.${index}`, states);
}

/** Trained in full, or rows of some tokens, or by adapters. */
export function isEmbeddingOrHead({ name }: Pick<Tensor, 'name'>): boolean {
  return /^(adapter\/)?(embed|per_layer_embed|lm_head|score)(\.full|\.rows|\.A|\.B)?$/.test(name);
}

export function elementsOf({ shape }: Tensor): number {
  return shape.reduce<number>((product, extent) => product * Number(extent), 1);
}
