/** A model's opinion of each row. */
import { isObject } from '../datasets/formats/format.ts';
import { type Candidate, type Rejected, rejection } from './candidates.ts';
import type { RequestFailure } from './endpoint.ts';
import type { Answer } from './journal.ts';
import type { JudgeOptions, SynthesisOptions } from './options.ts';
import { jsonIn, readText } from './pairs.ts';
import { type PlannedQuestion, planned } from './plan.ts';
import { judgePrompt } from './prompt.ts';

/** What the judge is asked, one question a candidate. */
export function judgements(
  candidates: readonly Candidate[],
  { endpoint, prompt }: JudgeOptions,
  { seed }: Pick<SynthesisOptions, 'seed'>,
): PlannedQuestion[] {
  return candidates.map((candidate) =>
    planned([{ role: 'user', content: judgePrompt(prompt, candidate) }], endpoint, seed),
  );
}

export interface Judged {
  readonly kept: readonly Candidate[];
  readonly rejected: readonly Rejected[];
  /** Candidates that nobody has judged yet. */
  readonly open: number;
}

/** @param questions of `judgements`, for the same candidates */
export function judgedBy(
  candidates: readonly Candidate[],
  questions: readonly PlannedQuestion[],
  answerTo: (key: string) => Answer | undefined,
  failures: ReadonlyMap<string, RequestFailure>,
  { endpoint, threshold }: JudgeOptions,
): Judged {
  const kept: Candidate[] = [];
  const rejected: Rejected[] = [];
  let open = 0;
  for (const [i, candidate] of candidates.entries()) {
    const { key } = questions[i] as PlannedQuestion;
    const said = answerTo(key);
    const failure = failures.get(key);
    if (said === undefined) {
      if (failure)
        rejected.push(rejection(candidate, { reason: 'request_failed', detail: `judging: ${failure.message}` }));
      else open++;
      continue;
    }
    const score = scoreIn(said);
    if (score === null) {
      const detail = `there is no score from 0 to 10 in "${said.content.trim().slice(0, 200)}"`;
      rejected.push(rejection(candidate, { reason: 'judgement_unreadable', detail }));
      continue;
    }
    const judge = { judge_score: score, judge_model: said.model ?? endpoint.model };
    const judged = { ...candidate, provenance: { ...candidate.provenance, ...judge } };
    if (score >= threshold) kept.push(judged);
    else rejected.push(rejection(judged, { reason: 'judged_low', detail: `${score} of at least ${threshold}` }));
  }
  return { kept, rejected, open };
}

/** A number, or a text that is one, in `score` of the JSON that it says. */
export function scoreIn(answer: Answer): number | null {
  const text = readText(answer);
  const value = typeof text === 'string' ? jsonIn(text) : undefined;
  const score = isObject(value) ? value.score : undefined;
  const number = typeof score === 'string' && score.trim() !== '' ? Number(score) : score;
  return typeof number === 'number' && number >= 0 && number <= 10 ? number : null;
}
