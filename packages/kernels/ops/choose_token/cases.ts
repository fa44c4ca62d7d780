import { casesFor, constant, type Fill, scaled } from '../../src/cases/casesFor.ts';
import type { Values } from '../../src/cases/values.ts';
import { chooseTokenOp } from './op.ts';

/** Temperature, top_k, top_p, min_p. */
type Sampling = readonly [temperature: number, topK: number, topP: number, minP: number];

const draws: Fill<never> = ({ extents: { C = 1 } }) => {
  // Apart from each other, and far from where rounding would decide.
  return (c) => ((c * 0.6180339887 + 0.0137) % 1) * (1 - 1 / (4 * C));
};

/** As many from each row. */
const rows: Fill<never> = ({ extents: { C = 1, N = 1 } }) => {
  return (c) => Math.floor((c * N) / C);
};

function sampled(N: number, V: number, sampling: Sampling, C = N) {
  return { extents: { N, V, C }, fill: { rows, draws, sampling: constant(...sampling), logits: scaled(3) } };
}

/** Logits of few values, so that many are equal. */
const stepped: Fill<never> = () => (i) => ((i * 7919) % 5) - 2;

const hard = {
  'one token': sampled(1, 1, [1, 0, 1, 0]),
  likeliest: sampled(5, 200, [0, 0, 1, 0]),
  'likeliest of equal ones': {
    ...sampled(3, 70, [0, 0, 1, 0]),
    fill: { rows, draws, sampling: constant(0, 0, 1, 0), logits: stepped },
  },
  'all tokens': sampled(40, 333, [1, 0, 1, 0]),
  'several of each row': sampled(3, 333, [1, 0, 1, 0], 24),
  'rows that are left out': {
    ...sampled(5, 40, [1, 0, 1, 0], 3),
    fill: { ...sampled(5, 40, [1, 0, 1, 0]).fill, rows: constant(4, 0, 4) },
  },
  'a low temperature': sampled(20, 1500, [0.3, 0, 1, 0]),
  'a temperature of which float32 makes 0': sampled(20, 1500, [1e-50, 0, 1, 0]),
  top_k: sampled(40, 333, [1, 5, 1, 0]),
  'top_k of one': sampled(4, 50, [2, 1, 1, 0]),
  top_p: sampled(40, 333, [1.5, 0, 0.8, 0]),
  'a small top_p': sampled(10, 100, [1, 0, 0.001, 0]),
  min_p: sampled(40, 333, [2, 0, 1, 0.1]),
  'all filters': sampled(60, 2000, [1.2, 40, 0.9, 0.02]),
  ...Object.fromEntries(
    (
      [
        [1, 7, 1, 0],
        [1, 0, 0.55, 0],
        [1, 9, 0.7, 0],
      ] as const
    ).map((sampling) => [
      `equal logits, ${sampling.join(' ')}`,
      { ...sampled(30, 41, sampling), fill: { rows, draws, sampling: constant(...sampling), logits: stepped } },
    ]),
  ),
  'not finite': {
    ...sampled(2, 9, [1, 0, 1, 0]),
    fill: { rows, draws, sampling: constant(1, 0, 1, 0), logits: constant(...[1, 2, 3].map((x) => x / 0)) },
  },
};

/** The tokens that filters leave, in the order of ids, with their weights. */
function keptOf(
  logits: readonly number[],
  [temperature, topK, topP, minP]: Sampling,
): { id: number; weight: number }[] {
  const top = Math.max(...logits);
  const ordered = logits
    .map((logit, id) => ({ id, logit, weight: Math.exp((logit - top) / temperature) }))
    .toSorted((a, b) => b.logit - a.logit || a.id - b.id)
    .slice(0, topK > 0 ? topK : undefined);
  const wanted = topP * ordered.reduce((sum, { weight }) => sum + weight, 0);
  let mass = 0;
  const nucleus = ordered.filter(({ weight }) => {
    const isNeeded = topP === 1 || mass < wanted;
    mass += weight;
    return isNeeded;
  });
  return nucleus.filter(({ weight }) => weight >= minP).toSorted((a, b) => a.id - b.id);
}

function chosen(logits: readonly number[], draw: number, sampling: Sampling): number {
  const top = Math.max(...logits);
  if (!Number.isFinite(top)) return -1;
  if (sampling[0] === 0) return logits.indexOf(top);
  const kept = keptOf(logits, sampling);
  const wanted = draw * kept.reduce((sum, { weight }) => sum + weight, 0);
  let sum = 0;
  return kept.find(({ weight }) => (sum += weight) > wanted)?.id ?? (kept.at(-1)?.id as number);
}

export const chooseTokenCases = casesFor(chooseTokenOp, {
  shapes: [],
  hard,
  benchmark: [
    sampled(1, 151_936, [0, 0, 1, 0]),
    sampled(1, 151_936, [1, 0, 1, 0]),
    sampled(1, 151_936, [0.7, 20, 0.8, 0]),
    sampled(64, 151_936, [1, 0, 1, 0]),
    sampled(8, 151_936, [1, 0, 1, 0], 64),
  ],
  reference: ({ logits, rows: from, draws: drawn, sampling }, { ids }, { extents: { C = 0, V = 0 } }) => {
    const how = [0, 1, 2, 3].map((i) => sampling.at(i)) as unknown as Sampling;
    for (let c = 0; c < C; c++) {
      const row = Array.from({ length: V }, (_, id) => (logits as Values).at(from.at(c), id));
      ids.add(c, 0, chosen(row, drawn.at(c), how));
    }
  },
});
