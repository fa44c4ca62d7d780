/** Reward functions that are a model's opinion: each answer is shown to an OpenAI-compatible endpoint. */
import { UserError } from '../errors.ts';
import { apiKeyOf } from '../synthesis/apiKey.ts';
import { askAll, PAUSES, type Pauses } from '../synthesis/askAll.ts';
import type { RequestFailure } from '../synthesis/endpoint.ts';
import type { Answer, KeptAnswers } from '../synthesis/journal.ts';
import { scoreIn } from '../synthesis/judge.ts';
import { eachOnce, type PlannedQuestion, planned } from '../synthesis/plan.ts';
import { answerPrompt } from '../synthesis/prompt.ts';
import type { JudgedAnswerText, JudgeReward } from './answer.ts';

/** So often a judge is asked about an answer until it gives a score. */
const MOST_ASKED = 3;
/** Of what a judge said instead of a score. */
const QUOTED_CHARACTERS = 200;

export interface JudgesOptions {
  /** Scores that were given before, and those to come: what was asked once is not asked again. */
  readonly kept: KeptAnswers;
  readonly pauses?: Pauses | undefined;
}

interface OpenedJudge {
  readonly judge: JudgeReward;
  readonly apiKey: string | null;
}

export class Judges {
  readonly #judges: readonly OpenedJudge[];
  readonly #kept: KeptAnswers;
  readonly #pauses: Pauses;
  /** Addresses that have answered this time. */
  readonly #heard = new Set<string>();

  /** @throws UserError `api_key_missing` */
  constructor(judges: readonly JudgeReward[], { kept, pauses = PAUSES }: JudgesOptions) {
    this.#judges = judges.map((judge) => ({ judge, apiKey: apiKeyOf(judge.endpoint) }));
    this.#kept = kept;
    this.#pauses = pauses;
  }

  /**
   * Of each judge a number from 0 to 1 for each answer. One without text is worth 0, and nobody is asked.
   * @throws UserError `reward_failed`, `endpoint_refused`, `endpoint_not_reached`, `endpoint_failing`, `disk_full`, or the reason of
   * `signal`; scores that were given are kept
   */
  async judge(
    answers: readonly JudgedAnswerText[],
    signal: AbortSignal = new AbortController().signal,
  ): Promise<number[][]> {
    const values: number[][] = [];
    for (const { judge, apiKey } of this.#judges) {
      const questions = answers.map((answer) => (answer.answer.trim() === '' ? null : questionOf(judge, answer)));
      const asked = questions.filter((question) => question !== null);
      await this.#ask({ judge, apiKey }, eachOnce(asked), signal);
      values.push(questions.map((question) => (question === null ? 0 : this.#scoreOf(question) / 10)));
    }
    return values;
  }

  async #ask(
    { judge, apiKey }: OpenedJudge,
    questions: readonly PlannedQuestion[],
    signal: AbortSignal,
  ): Promise<void> {
    const { endpoint } = judge;
    let unreadable: string | null = null;
    let failures = new Map<string, RequestFailure>();
    const journal: KeptAnswers = {
      get: (key) => this.#kept.get(key),
      append: (key, answer) => {
        if (scoreIn(answer) === null) unreadable = answer.content;
        else this.#kept.append(key, answer);
      },
    };
    const open = (): PlannedQuestion[] => questions.filter(({ key }) => this.#kept.get(key) === undefined);
    for (let tries = 0; tries < MOST_ASKED && open().length > 0; tries++) {
      // Another seed may have it keep to the form; where none is sent, the server's own chance.
      const again = open().map((question) => ({ ...question, seed: question.seed + tries }));
      failures = await askAll(again, {
        endpoint,
        apiKey,
        journal,
        pauses: this.#pauses,
        signal,
        hasAnswered: () => this.#heard.has(endpoint.url),
        onAnswer: () => this.#heard.add(endpoint.url),
        onRetry: () => undefined,
        onFailure: () => undefined,
      });
      if (open().length > 0) signal.throwIfAborted();
      if (failures.size > 0) break;
    }
    const [failure] = failures.values();
    if (open().length === 0) return;
    throw notJudged(judge, open().length, failure ? failure.message : `it says ${quoted(unreadable ?? '')}`, failure);
  }

  #scoreOf({ key }: PlannedQuestion): number {
    return scoreIn(this.#kept.get(key) as Answer) as number;
  }
}

/** @throws UserError `reward_failed` where the row does not have the column that the judge is shown */
function questionOf({ name, endpoint, prompt, field }: JudgeReward, answer: JudgedAnswerText): PlannedQuestion {
  const reference = field === null ? null : answer.row[field];
  if (reference === undefined || (reference === null && field !== null)) {
    throw new UserError({
      what: `the reward ${name} cannot be used: the row has no field '${field}'`,
      where: endpoint.url,
      next: 'name a column of the rows in `field`, or leave it out; begin a new run with it',
      code: 'reward_failed',
    });
  }
  const shown = typeof reference === 'string' || reference === null ? reference : JSON.stringify(reference);
  const content = answerPrompt(prompt, { prompt: answer.prompt, answer: answer.answer, reference: shown });
  return planned([{ role: 'user', content }], endpoint, 0);
}

function notJudged({ name, endpoint }: JudgeReward, count: number, why: string, cause?: RequestFailure): UserError {
  const answers = count === 1 ? 'an answer' : `${count} answers`;
  return new UserError({
    what: `the reward ${name} has no score from 0 to 10 for ${answers}: ${why}`,
    where: endpoint.url,
    next: 'look at the server; the run goes on from its last checkpoint with `anneal runs resume`, and asks for nothing twice',
    code: 'reward_failed',
    cause,
  });
}

function quoted(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return `"${line.length > QUOTED_CHARACTERS ? `${line.slice(0, QUOTED_CHARACTERS)}…` : line}"`;
}
