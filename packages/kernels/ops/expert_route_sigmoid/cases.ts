import { casesFor, constant, type Fill, normals } from '../../src/cases/casesFor.ts';
import { sigmoid } from '../../src/cases/mathematics.ts';
import type { Values } from '../../src/cases/values.ts';
import { type Assignment, addPlaces } from '../expert_route/assignments.ts';
import { expertRouteSigmoidBackwardOp, expertRouteSigmoidOp } from './op.ts';

type Routing = readonly [choices: number, groups: number, chosenGroups: number];

function routed(T: number, E: number, [choices, groups, chosenGroups]: Routing, normalized = 1) {
  return {
    extents: { T, E, C: choices, G: E + 1 },
    attributes: { choices, groups, chosenGroups, normalized, scale: 2.5 },
  };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
/** The largest first, of equal ones the lower number. */
const ranked = (numbers: readonly number[], scoreOf: (n: number) => number): number[] =>
  numbers.toSorted((a, b) => scoreOf(b) - scoreOf(a) || a - b);

/** The experts of a token, the best first. As float32 has them: what is equal there must be equal here. */
function chosenOf(
  logits: Values,
  bias: Values,
  t: number,
  E: number,
  [choices, groups, chosenGroups]: Routing,
): number[] {
  const scoreOf = (e: number): number => Math.fround(Math.fround(sigmoid(logits.at(t, e))) + bias.at(e));
  const groupOf = (g: number): number[] => range(E / groups).map((i) => (g * E) / groups + i);
  const sumOf = (g: number): number => {
    const [first = 0, second = 0] = ranked(groupOf(g), scoreOf).map(scoreOf);
    return Math.fround(first + second);
  };
  const open = ranked(range(groups), sumOf).slice(0, chosenGroups).flatMap(groupOf);
  return ranked(open, scoreOf).slice(0, choices);
}

export const expertRouteSigmoidCases = casesFor(expertRouteSigmoidOp, {
  shapes: [],
  hard: {
    'two experts': routed(1, 2, [1, 1, 1]),
    'one group': routed(5, 7, [3, 1, 1]),
    'three of eight in two of four groups': routed(300, 8, [3, 4, 2]),
    'not normalized': routed(7, 32, [5, 4, 3], 0),
    'many experts': routed(40, 256, [8, 8, 4]),
    'more choices than lanes': routed(3, 256, [40, 8, 2]),
    'equal logits': { ...routed(6, 8, [3, 4, 2]), fill: { logits: constant(0.5), bias: constant(0) } },
    'a bias that decides': { ...routed(6, 4, [2, 2, 1]), fill: { bias: constant(-8, -9, 8, 9) } },
    'no tokens': routed(0, 4, [2, 2, 1]),
  },
  benchmark: [routed(512, 64, [6, 1, 1]), routed(512, 256, [8, 8, 4])],
  reference: ({ logits, bias }, { gates, experts, places, offsets }, { extents: { T = 0, E = 0 }, attributes }) => {
    const { choices, groups, chosenGroups, normalized, scale } = attributes;
    const assignments: Assignment[] = [];
    for (let t = 0; t < T; t++) {
      const chosen = chosenOf(logits, bias, t, E, [choices, groups, chosenGroups]);
      const scores = chosen.map((e) => sigmoid(logits.at(t, e)));
      const sum = normalized ? scores.reduce((a, b) => a + b, 0) : 1;
      for (const [c, expert] of chosen.entries()) {
        const gate = (scale * (scores[c] as number)) / sum;
        gates.add(t, c, gate, 8 * gate); // errors of the exponentials and of their sum
        experts.add(t, c, expert);
        assignments.push({ expert, t, c });
      }
    }
    addPlaces(assignments, E, { places, offsets });
  },
});

type BackwardAttribute = 'normalized' | 'scale';

/** Any choice will do, of experts that differ. */
const someExperts: Fill<BackwardAttribute> = ({ extents: { E = 1, C = 1 } }) => {
  return (i) => (3 * Math.floor(i / C) + (i % C)) % E;
};

const someGates: Fill<BackwardAttribute> = ({ made, extents, attributes: { normalized, scale } }) => {
  const { E = 1, C = 1 } = extents;
  const logits = made['logits'] as Values;
  const scoreOf = (i: number): number => sigmoid(logits.at(Math.floor(i / C), (3 * Math.floor(i / C) + (i % C)) % E));
  return (i) => {
    const first = i - (i % C);
    const sum = normalized ? range(C).reduce((total, c) => total + scoreOf(first + c), 0) : 1;
    return (scale * scoreOf(i)) / sum;
  };
};

const backwardShape = (T: number, E: number, C: number) => ({ T, E, C });

export const expertRouteSigmoidBackwardCases = casesFor(expertRouteSigmoidBackwardOp, {
  shapes: [
    backwardShape(1, 2, 1),
    backwardShape(7, 33, 4),
    backwardShape(300, 8, 3),
    backwardShape(3, 200, 40),
    backwardShape(0, 4, 2),
  ],
  attributes: [
    { normalized: 0, scale: 1 },
    { normalized: 1, scale: 2.5 },
  ],
  fill: { logits: normals, gates: someGates, experts: someExperts },
  benchmark: [{ extents: backwardShape(512, 256, 8), attributes: { normalized: 1, scale: 2.5 } }],
  reference: ({ dgates, logits, gates, experts }, { dlogits }, { extents: { T = 0, C = 0 }, attributes }) => {
    for (let t = 0; t < T; t++) {
      const terms = range(C).map((c) => (gates.at(t, c) * dgates.at(t, c)) / attributes.scale);
      const mean = attributes.normalized ? terms.reduce((a, b) => a + b, 0) : 0;
      const size = 4 * terms.reduce((a, b) => a + Math.abs(b), 0);
      for (let c = 0; c < C; c++) {
        const e = experts.at(t, c);
        const gate = gates.at(t, c);
        const slope = 1 - sigmoid(logits.at(t, e));
        // 1 - σ has the absolute error of σ.
        dlogits.add(t, e, gate * slope * (dgates.at(t, c) - mean), 4 * gate * (Math.abs(dgates.at(t, c)) + size));
      }
    }
  },
});
