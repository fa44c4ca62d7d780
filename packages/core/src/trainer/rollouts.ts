/** A step that begins with sampling: the model answers prompts, the answers are judged, and what they are worth is learned. */

import { layOut } from '../datasets/batch.ts';
import type { TokenStore } from '../datasets/tokenStore.ts';
import { idOfWord, toWords } from '../datasets/tokenStore.ts';
import type { Batch, StepBatches } from '../datasets/types.ts';
import { type FinishedAnswer, generateTogether } from '../generate/generateTogether.ts';
import { greedy, type SamplingOptions } from '../generate/sample.ts';
import { advantagesOf, answerWeights, meanOf, spreadOf } from '../objectives/sampledAnswers.ts';
import type { SampledAnswerRecord } from '../protocol/answers.ts';
import { partThinking } from '../protocol/thinking.ts';
import type { JudgedAnswerText } from '../rewards/answer.ts';
import { type OpenedRewards, openRewards } from '../rewards/openRewards.ts';
import type { KeptAnswers } from '../synthesis/journal.ts';
import { rolloutProgram } from './planTraining.ts';
import { type PromptRow, PromptRows } from './promptRows.ts';
import type { RolloutJob } from './rolloutOptions.ts';
import type { Session } from './session.ts';
import type { StepOptions, StepResult, TrainingEngine } from './trainingEngine.ts';

/** Means over the answers of a step; as the events name them. */
export interface RolloutMeasures {
  readonly reward: number;
  readonly rewardSpread?: number;
  readonly rewardByFunction: Readonly<Record<string, number>>;
  readonly answerTokens: number;
  readonly cutShare: number;
  readonly equalShare?: number;
}

export interface RolloutStep extends StepResult {
  /** Those of the answers. */
  readonly trained: StepBatches;
  readonly measures: RolloutMeasures;
  readonly answers: readonly SampledAnswerRecord[];
}

interface Prompt extends PromptRow {
  readonly document: number;
  readonly ids: Int32Array;
  /** As the model reads it. */
  readonly text: string;
}

interface Judged extends FinishedAnswer {
  readonly prompt: Prompt;
  readonly text: JudgedAnswerText;
  /** Of each function. */
  readonly values: readonly number[];
  readonly reward: number;
}

export class Rollouts implements AsyncDisposable {
  readonly #job: RolloutJob;
  readonly #session: Session;
  readonly #engine: TrainingEngine;
  readonly #rewards: OpenedRewards;
  readonly #rows: PromptRows;

  constructor(job: RolloutJob, session: Session, engine: TrainingEngine, rewards: OpenedRewards) {
    this.#job = job;
    this.#session = session;
    this.#engine = engine;
    this.#rewards = rewards;
    this.#rows = new PromptRows(session.job.data.prepare);
  }

  /**
   * Samples, judges, and moves the weights `updates` times. All random choices follow from seed and step, so a step that is done again
   * gives the same bits.
   * @param signal gives up asking judges; no weight has moved by then @throws UserError `reward_failed`, and the reason of `signal`
   */
  async step(prompts: StepBatches, options: StepOptions, signal: AbortSignal): Promise<RolloutStep> {
    const { step, seed } = options;
    const { answers, sampling, rewardScale, updates } = this.#job;
    const { train } = this.#session.data;
    const asked = await this.#prompts(train, documentsOf(prompts));
    const judged = await this.#answer(asked, answers, sampling, [seed, step], signal);
    const rewards = judged.map(({ reward }) => reward);
    const advantages = advantagesOf(rewards, answers, rewardScale);
    let batches = this.#batches(judged, advantages);
    let first: StepResult | null = null;
    let last: StepResult | null = null;
    for (let update = 0; update < updates; update++) {
      if (update === 0 && updates > 1) batches = await this.#withOldLogps(batches);
      const trained = { batches, divergence: [] };
      last = await this.#engine.step(trained, { ...options, step: (step - 1) * updates + update + 1 });
      first ??= last;
    }
    if (!first || !last) throw new Error('a step has at least one update');
    const logps = first.tokenLosses.flatMap((ofBatch) => Array.from(ofBatch, (loss) => -loss));
    return {
      ...last,
      trained: {
        ...prompts,
        batches,
        tokens: batches.reduce((sum, { tokens }) => sum + tokens.length, 0),
        targetTokens: judged.reduce((sum, { ids }) => sum + ids.length, 0),
      },
      measures: { ...measuresOf(judged, this.#rewards.names), ...spreadsOf(rewards, answers) },
      answers: this.#records(judged, advantages, logps),
    };
  }

  /** One answer to each prompt of the validation rows, the likeliest: its rewards. @param signal as of `step` */
  async evaluate(signal?: AbortSignal): Promise<RolloutMeasures> {
    const store = this.#session.data.validation;
    if (!store) throw new Error('there are no validation rows');
    const all = Array.from({ length: store.count }, (_, document) => document);
    const likeliest = { ...greedy, repetitionPenalty: this.#job.sampling.repetitionPenalty };
    const judged: Judged[] = [];
    // As many at a time as a step has, so that the plan and the patience with rewards are enough.
    for (let from = 0; from < all.length; from += this.#job.answersAtOnce) {
      const some = all.slice(from, from + this.#job.answersAtOnce);
      judged.push(...(await this.#answer(await this.#prompts(store, some), 1, likeliest, [0, 0], signal)));
    }
    return measuresOf(judged, this.#rewards.names);
  }

  /** Closes the data files; the rewards stay their owner's. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#rows[Symbol.asyncDispose]();
  }

  async #answer(
    prompts: readonly Prompt[],
    answers: number,
    sampling: SamplingOptions,
    seeds: readonly number[],
    signal?: AbortSignal,
  ): Promise<Judged[]> {
    const { answersAtOnce, maxTokens, weights } = this.#job;
    const { text } = this.#session;
    const finished: { prompt: Prompt; answer: FinishedAnswer }[] = [];
    const promptsAtOnce = answersAtOnce / this.#job.answers;
    for (let from = 0; from < prompts.length; from += promptsAtOnce) {
      const some = prompts.slice(from, from + promptsAtOnce);
      const groups = await generateTogether(
        this.#engine.engine,
        some.map(({ ids }) => ids),
        {
          program: rolloutProgram,
          sampling,
          answers,
          maxNewTokens: maxTokens,
          stopIds: text.stopIds,
          seedsOf: (prompt, answer) => [...seeds, from + prompt, answer],
        },
      );
      for (const [i, group] of groups.entries()) {
        finished.push(...group.map((answer) => ({ prompt: some[i] as Prompt, answer })));
      }
    }
    const texts = await Promise.all(finished.map(({ prompt, answer }) => this.#textOf(prompt, answer)));
    const answered = finished.map(({ prompt: { asked } }, i) => ({ asked, text: texts[i] as JudgedAnswerText }));
    const values = await this.#rewards.judge(answered, signal);
    return finished.map(({ prompt, answer }, i) => {
      const own = values.map((ofFunction) => ofFunction[i] as number);
      const reward = own.reduce((sum, value, f) => sum + value * (weights[f] as number), 0);
      return { ...answer, prompt, text: texts[i] as JudgedAnswerText, values: own, reward };
    });
  }

  async #textOf({ text: prompt, row }: Prompt, answer: FinishedAnswer): Promise<JudgedAnswerText> {
    const { tokenizer } = this.#session.text;
    const said = answer.ended ? answer.ids.subarray(0, -1) : answer.ids;
    const completion = await tokenizer.decode(said);
    return {
      prompt,
      completion,
      ...partThinking(completion, prompt),
      tokens: answer.ids.length,
      ended: answer.ended,
      row,
    };
  }

  async #prompts(store: TokenStore, documents: readonly number[]): Promise<Prompt[]> {
    const { tokenizer } = this.#session.text;
    return await Promise.all(
      documents.map(async (document) => {
        const ids = Int32Array.from(store.words(document), idOfWord);
        return { document, ids, text: await tokenizer.decode(ids), ...(await this.#rows.rowOf(store, document)) };
      }),
    );
  }

  /** Answers in their order, so many a batch. */
  #batches(judged: readonly Judged[], advantages: readonly number[]): Batch[] {
    const { batchAnswers, lossType, maxTokens, leavesOutCut } = this.#job;
    const groups = Array.from({ length: Math.ceil(judged.length / batchAnswers) }, (_, i) =>
      judged.slice(i * batchAnswers, (i + 1) * batchAnswers),
    );
    const learned = groups.map((group) => group.map(({ ids, ended }) => (leavesOutCut && !ended ? 0 : ids.length)));
    const weights = answerWeights(learned, { lossType, maxTokens });
    return groups.map((group, i) => ({
      ...layOut(
        group.map(({ prompt, ids }) => ({ document: prompt.document, words: wordsOf(prompt, ids), side: 'none' })),
      ),
      answers: group.map((_, j) => ({
        advantage: advantages[i * batchAnswers + j] as number,
        weight: weights[i]?.[j] as number,
        old: null,
      })),
    }));
  }

  /** What the model says of the answers before it moves, for updates after the first. */
  async #withOldLogps(batches: readonly Batch[]): Promise<Batch[]> {
    const withOld: Batch[] = [];
    for (const batch of batches) {
      const logps = await this.#engine.labelLogps(batch);
      let at = 0;
      const answers = (batch.answers ?? []).map((answer, d) => {
        const [start, end] = [batch.cuSeqlens[d] as number, batch.cuSeqlens[d + 1] as number];
        const count = batch.labels.subarray(start, end).reduce((sum, label) => sum + (label >= 0 ? 1 : 0), 0);
        at += count;
        return { ...answer, old: logps.subarray(at - count, at) };
      });
      withOld.push({ ...batch, answers });
    }
    return withOld;
  }

  #records(judged: readonly Judged[], advantages: readonly number[], logps: readonly number[]): SampledAnswerRecord[] {
    const { train } = this.#session.data;
    let at = 0;
    return judged.map(({ prompt, text, ids, ended, reward, values }, i) => {
      at += ids.length;
      return {
        ...train.source(prompt.document),
        answer: i % this.#job.answers,
        prompt: text.prompt,
        text: text.completion,
        ended,
        reward,
        rewards: Object.fromEntries(this.#rewards.names.map((name, f) => [name, values[f] as number])),
        advantage: advantages[i] as number,
        ids: Array.from(ids),
        logps: logps.slice(at - ids.length, at).map((logp) => Number(logp.toFixed(4))),
      };
    });
  }
}

/** All reward functions of a session's job. @throws UserError as `openRewards` */
export function openSessionRewards(
  { rewards }: RolloutJob,
  { rewardModels: models, job: { device } }: Session,
  kept: KeptAnswers,
): Promise<OpenedRewards> {
  return openRewards(rewards, { kept, models, device });
}

const documentsOf = ({ batches }: StepBatches): number[] => batches.flatMap(({ documents }) => documents);

function wordsOf({ ids: prompt }: Prompt, answer: Int32Array): Uint32Array {
  const ids = new Int32Array(prompt.length + answer.length);
  ids.set(prompt);
  ids.set(answer, prompt.length);
  return toWords({ ids, lossMask: Uint8Array.from(ids, (_, i) => (i < prompt.length ? 0 : 1)), turns: [] });
}

function measuresOf(judged: readonly Judged[], names: readonly string[]): RolloutMeasures {
  return {
    reward: meanOf(judged.map(({ reward }) => reward)),
    rewardByFunction: Object.fromEntries(
      names.map((name, f) => [name, meanOf(judged.map(({ values }) => values[f] as number))]),
    ),
    answerTokens: meanOf(judged.map(({ ids }) => ids.length)),
    cutShare: meanOf(judged.map(({ ended }) => (ended ? 0 : 1))),
  };
}

function spreadsOf(rewards: readonly number[], answers: number): Pick<RolloutMeasures, 'rewardSpread' | 'equalShare'> {
  const spreads = Array.from({ length: rewards.length / answers }, (_, group) =>
    spreadOf(rewards.slice(group * answers, (group + 1) * answers)),
  );
  return {
    rewardSpread: meanOf(spreads),
    equalShare: meanOf(spreads.map((spread) => (spread === 0 ? 1 : 0))),
  };
}
