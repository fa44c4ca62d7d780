import { type HostArray, pairLoss, sides } from '@anneal/kernels';
import { countAnswers, measuresOf, offsetInputs, sumCount } from './answers.ts';
import type { BatchRows, Objective, ObjectiveContext, ObjectiveResult } from './objective.ts';

export interface RewardObjectiveOptions {
  /** Of the square of what both scores have together. */
  readonly center: number;
  readonly padToken: number | null;
}

const none = { prompts: false };

/** A model of which of two answers is preferred, by the scores it gives them. */
export function rewardObjective({ center, padToken }: RewardObjectiveOptions): Objective {
  const addLoss = ({ graph, scores, sums }: ObjectiveContext): ObjectiveResult => {
    const scores_R = scores(graph.input('supervisedRows', 'i32', ['R']));
    const inputs = {
      // An answer of one row: its sum is the score.
      logps: scores_R,
      ...offsetInputs(graph),
      scale: graph.input('lossScale', 'f32', [2]),
      sums,
      margins: graph.input('margins', 'f32', ['S']),
    };
    return { sums: pairLoss(inputs, { ...bradleyTerry, center }), rows: scores_R };
  };
  return {
    answersPerRow: 2,
    sumCount,
    divergence: false,
    train: addLoss,
    evaluate: addLoss,
    tokenLosses: (scores, batch) => pairLosses(scores, batch, center),
    inputsOf: (batch) => {
      const supervisedRows = lastTokens(batch, padToken);
      const offsets = rowsBefore(batch);
      return {
        rows: supervisedRows.length,
        inputs: {
          supervisedRows,
          rowOffsets: offsets,
          answerOffsets: offsets,
          side: Int32Array.from(batch.cuSeqlens, (_, d) => sides[batch.sides[d] ?? 'none']),
          margins: Float32Array.from(batch.cuSeqlens, (_, d) => batch.margins?.[d] ?? 0),
        },
      };
    },
    countsOf: (batches) => countAnswers(batches, [], none),
    trainScales: ({ chosen }) => ({ lossScale: Float32Array.of(1 / chosen, 0) }),
    evaluationScales: () => ({ lossScale: Float32Array.of(1, 0) }),
    read: (sums, counts) => {
      const loss = (sums[0] ?? Number.NaN) / counts.chosen;
      return { loss, preference: { ...measuresOf(sums, counts), logpChosen: null, logpRejected: null }, policy: null };
    },
  };
}

const bradleyTerry = {
  form: 'sigmoid',
  value: 'sum',
  beta: 1,
  gamma: 0,
  right: 1,
  wrong: 0,
  rewardScale: 1,
  meanRewards: false,
} as const;

type Answers = Pick<BatchRows, 'tokens' | 'cuSeqlens' | 'sides'>;

/** Of each document with an answer the last token that does not pad: where transformers takes the score. */
function lastTokens({ tokens, cuSeqlens, sides: of }: Answers, padToken: number | null): Int32Array<ArrayBuffer> {
  return Int32Array.from(
    of.flatMap((side, d) => {
      if (side === 'none') return [];
      const first = cuSeqlens[d] as number;
      let last = (cuSeqlens[d + 1] as number) - 1;
      while (last > first && tokens[last] === padToken) last--;
      return [last];
    }),
  );
}

/** Scores of the documents before each, and of all behind the last: a document without an answer has none. */
function rowsBefore({ cuSeqlens, sides: of }: Pick<Answers, 'cuSeqlens' | 'sides'>): Int32Array<ArrayBuffer> {
  let rows = 0;
  return Int32Array.from(cuSeqlens, (_, d) => {
    const before = rows;
    if ((of[d] ?? 'none') !== 'none') rows++;
    return before;
  });
}

/** Each target token has the loss of its pair, so that what is told of a row is that. */
function pairLosses(scores: HostArray, batch: BatchRows, center: number): Float64Array {
  const { labels, cuSeqlens, sides: of, margins } = batch;
  const rows = rowsBefore(batch);
  const scoreOf = (d: number): number => Number(scores[rows[d] as number]);
  return Float64Array.from(
    of.flatMap((side, d): number[] => {
      if (side === 'none') return [];
      const better = side === 'rejected' ? d - 1 : d;
      const [chosen, rejected] = [scoreOf(better), scoreOf(better + 1)];
      const z = chosen - rejected - (margins?.[better] ?? 0);
      const loss = Math.max(0, -z) + Math.log1p(Math.exp(-Math.abs(z))) + center * (chosen + rejected) ** 2;
      const targets = labels.subarray(cuSeqlens[d], cuSeqlens[d + 1]).filter((label) => label >= 0).length;
      return Array.from({ length: targets }, () => loss);
    }),
  );
}
