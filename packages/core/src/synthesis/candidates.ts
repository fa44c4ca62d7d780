/** From answers to rows that keep the rules and repeat nothing: a function of the plan and the answers, in the order of the plan. */
import { PROVENANCE_COLUMN } from '../datasets/provenance.ts';
import { repetitionsOf } from './duplicates.ts';
import type { RequestFailure } from './endpoint.ts';
import type { Answer } from './journal.ts';
import type { SynthesisOptions } from './options.ts';
import type { Flaw } from './pairs.ts';
import { type Draft, type Origin, type PlannedRequest, sha256, type Unusable } from './plan.ts';
import { RuleBook, type RuleReason } from './rules.ts';

export type RejectReason =
  | Flaw['reason']
  | RuleReason
  | 'row_unusable'
  | 'duplicate'
  | 'near_duplicate'
  | 'judged_low'
  | 'judgement_unreadable'
  | 'request_failed';

/** Where a row comes from. */
export interface Provenance extends Origin {
  readonly model?: string;
  readonly prompt_sha256?: string;
  readonly seed?: number;
  readonly persona?: string;
  readonly difficulty?: string;
  /** 0 to 10, and who gave it. */
  readonly judge_score?: number;
  readonly judge_model?: string;
}

/** What was left out, as it stands in rejected.jsonl. */
export interface Rejected {
  readonly reason: RejectReason;
  readonly detail: string;
  readonly question?: string;
  readonly answer?: string;
  /** What the endpoint said, where nothing could be read of it. */
  readonly content?: string;
  readonly [PROVENANCE_COLUMN]: Provenance;
}

export interface Candidate extends Draft {
  readonly provenance: Provenance;
  /** What it is about, for who judges it. */
  readonly text: string | null;
}

export interface Candidates {
  readonly candidates: readonly Candidate[];
  readonly rejected: readonly Rejected[];
  /** Requests without an answer that have not failed: the synthesis was stopped before. */
  readonly open: number;
}

/** @throws UserError `filter_too_slow` */
export function candidatesOf(
  { requests, unusable }: { requests: readonly PlannedRequest[]; unusable: readonly Unusable[] },
  answerTo: (key: string) => Answer | undefined,
  failures: ReadonlyMap<string, RequestFailure>,
  options: SynthesisOptions,
): Candidates {
  const rules = new RuleBook(options.rules);
  const kept: Candidate[] = [];
  const rejected: Rejected[] = unusable.map(({ origin, detail }) => ({
    reason: 'row_unusable',
    detail,
    [PROVENANCE_COLUMN]: origin,
  }));
  let open = 0;
  for (const request of requests) {
    const said = answerTo(request.key);
    const provenance = provenanceOf(request, said, options);
    if (said === undefined) {
      const failure = failures.get(request.key);
      if (failure)
        rejected.push({ reason: 'request_failed', detail: failure.message, [PROVENANCE_COLUMN]: provenance });
      else open++;
      continue;
    }
    for (const found of request.read(said)) {
      if ('reason' in found) {
        rejected.push({ ...found, content: said.content, [PROVENANCE_COLUMN]: provenance });
        continue;
      }
      const candidate = { ...found, provenance, text: request.text };
      const broken = rules.brokenBy(found);
      if (broken) rejected.push(rejection(candidate, broken));
      else kept.push(candidate);
    }
  }
  const repetitions = repetitionsOf(kept.map(comparable), options);
  const candidates = kept.filter((candidate, i) => {
    const repetition = repetitions[i];
    if (repetition) rejected.push(rejection(candidate, repetition));
    return !repetition;
  });
  return { candidates, rejected, open };
}

export function rejection(
  { question, answer, provenance }: Candidate,
  why: Pick<Rejected, 'reason' | 'detail'>,
): Rejected {
  return { ...why, question, answer, [PROVENANCE_COLUMN]: provenance };
}

/** A question is the same where all before the answer is. */
function comparable({ messages, answer }: Candidate) {
  const before = messages.slice(0, -1).filter(({ role }) => role !== 'system');
  return { question: before.map(({ content }) => content).join('\n'), answer };
}

function provenanceOf(
  { origin, messages, seed, variation: { persona, difficulty } }: PlannedRequest,
  said: Answer | undefined,
  { endpoint }: SynthesisOptions,
): Provenance {
  return {
    ...origin,
    model: said?.model ?? endpoint.model,
    prompt_sha256: sha256(JSON.stringify(messages)),
    seed,
    ...(persona !== null && { persona }),
    ...(difficulty !== null && { difficulty }),
  };
}
