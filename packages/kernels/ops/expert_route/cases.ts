import { casesFor, constant, type Fill, normals } from '../../src/cases/casesFor.ts';
import type { Values } from '../../src/cases/values.ts';
import { type Assignment, addPlaces } from './assignments.ts';
import { expertRouteBackwardOp, expertRouteOp } from './op.ts';

function shape(T: number, E: number, C: number) {
  return { T, E, C, G: E + 1 };
}

const shapes = [
  shape(1, 1, 1),
  shape(5, 4, 2),
  shape(7, 33, 4),
  shape(300, 8, 3),
  shape(40, 130, 6), // more experts than lanes of a warp have two each
  shape(3, 200, 40), // more choices than lanes
];
const benchmark = shape(512, 64, 8);

const withChoices = (extents: ReturnType<typeof shape>, normalized: number) => ({
  extents,
  attributes: { choices: extents.C, normalized },
});

const hard = Object.fromEntries(
  [0, 1].flatMap((normalized) => [
    ...shapes.map((extents) => [
      `${extents.C} of ${extents.E}, normalized ${normalized}`,
      withChoices(extents, normalized),
    ]),
    ['equal logits', { ...withChoices(shape(6, 5, 3), 1), fill: { logits: constant(0.5) } }],
    ['all to one expert', { ...withChoices(shape(6, 4, 1), 0), fill: { logits: constant(-1, -2, 90, 1) } }],
    ['no tokens', withChoices(shape(0, 4, 2), 1)],
  ]),
);

/** The experts of a row of logits, the best first. */
function ranked(logits: Values, t: number, E: number): number[] {
  return Array.from({ length: E }, (_, e) => e).toSorted((a, b) => logits.at(t, b) - logits.at(t, a) || a - b);
}

function softmax(logits: Values, t: number, experts: readonly number[]): number[] {
  const largest = Math.max(...experts.map((e) => logits.at(t, e)));
  const powers = experts.map((e) => Math.exp(logits.at(t, e) - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

export const expertRouteCases = casesFor(expertRouteOp, {
  shapes: [],
  hard,
  benchmark: [withChoices(benchmark, 1)],
  reference: (
    { logits },
    { gates, experts, places, offsets },
    { extents: { T = 0, E = 0 }, attributes: { choices: C, normalized } },
  ) => {
    const assignments: Assignment[] = [];
    for (let t = 0; t < T; t++) {
      const order = ranked(logits, t, E);
      const chosen = order.slice(0, C);
      const probabilities = softmax(logits, t, normalized ? chosen : order);
      for (const [c, expert] of chosen.entries()) {
        const gate = probabilities[c] as number;
        // Errors of the exponentials and of their sum, to float32's rounding.
        gates.add(t, c, gate, 8 * gate);
        experts.add(t, c, expert);
        assignments.push({ expert, t, c });
      }
    }
    addPlaces(assignments, E, { places, offsets });
  },
});

/** What the forward pass gives for the logits. */
const chosenExperts: Fill<'normalized'> = ({ made, extents: { E = 0, C = 1 } }) => {
  const logits = made['logits'] as Values;
  return (i) => ranked(logits, Math.floor(i / C), E)[i % C] as number;
};

const chosenGates: Fill<'normalized'> = ({ made, extents: { E = 0, C = 1 }, attributes: { normalized } }) => {
  const logits = made['logits'] as Values;
  return (i) => {
    const order = ranked(logits, Math.floor(i / C), E);
    return softmax(logits, Math.floor(i / C), normalized ? order.slice(0, C) : order)[i % C] as number;
  };
};

export const expertRouteBackwardCases = casesFor(expertRouteBackwardOp, {
  shapes: [...shapes, shape(0, 4, 2)],
  attributes: [{ normalized: 0 }, { normalized: 1 }],
  fill: { logits: normals, gates: chosenGates, experts: chosenExperts },
  benchmark: [{ extents: benchmark, attributes: { normalized: 1 } }],
  reference: (
    { dgates, logits, gates, experts },
    { dlogits },
    { extents: { T = 0, E = 0, C = 0 }, attributes: { normalized } },
  ) => {
    const all = Array.from({ length: E }, (_, e) => e);
    for (let t = 0; t < T; t++) {
      const choices = Array.from({ length: C }, (_, c) => c);
      const terms = choices.map((c) => gates.at(t, c) * dgates.at(t, c));
      const mean = terms.reduce((a, b) => a + b, 0);
      const size = 4 * terms.reduce((a, b) => a + Math.abs(b), 0);
      const chosen = new Map(choices.map((c) => [experts.at(t, c), c]));
      const probabilities = normalized ? all.map(() => 0) : softmax(logits, t, all);
      for (const e of all) {
        const c = chosen.get(e);
        const p = c === undefined ? (probabilities[e] as number) : gates.at(t, c);
        const gradient = c === undefined ? 0 : dgates.at(t, c);
        dlogits.add(t, e, p * (gradient - mean), 4 * p * (Math.abs(gradient) + size));
      }
    }
  },
});
