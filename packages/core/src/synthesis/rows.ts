/** From answers to rows: a function of the plan and the answers alone, in the order of the plan. */
import { PROVENANCE_COLUMN } from '../datasets/provenance.ts';
import { repetitionsOf } from './duplicates.ts';
import type { RequestFailure } from './endpoint.ts';
import type { Answer } from './journal.ts';
import type { SynthesisOptions } from './options.ts';
import { type Flaw, type Pair, pairsIn } from './pairs.ts';
import { type PlannedRequest, sha256 } from './plan.ts';
import { RuleBook, type RuleReason } from './rules.ts';

export type RejectReason = Flaw['reason'] | RuleReason | 'duplicate' | 'near_duplicate' | 'request_failed';

/** Where a row comes from. */
export interface Provenance {
  readonly source: string;
  /** Of a data file. */
  readonly row?: number;
  /** Bytes of the document in UTF-8: [start, end). */
  readonly start: number;
  readonly end: number;
  readonly model: string;
  readonly prompt_sha256: string;
  readonly seed: number;
}

export interface Row {
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly [PROVENANCE_COLUMN]: Provenance;
}

/** What was left out, as it stands in rejected.jsonl. */
export interface Rejected {
  readonly reason: RejectReason;
  readonly detail: string;
  readonly question?: string;
  readonly answer?: string;
  /** What the endpoint said, where no pair could be read of it. */
  readonly content?: string;
  readonly [PROVENANCE_COLUMN]: Provenance;
}

interface Candidate extends Pair {
  readonly provenance: Provenance;
}

export interface Rows {
  readonly rows: readonly Row[];
  readonly rejected: readonly Rejected[];
  /** Requests without an answer that have not failed: the synthesis was stopped before. */
  readonly open: number;
}

/** @throws UserError `filter_too_slow` */
export function rowsOf(
  requests: readonly PlannedRequest[],
  answerTo: (key: string) => Answer | undefined,
  failures: ReadonlyMap<string, RequestFailure>,
  options: SynthesisOptions,
): Rows {
  const rules = new RuleBook(options.rules);
  const candidates: Candidate[] = [];
  const rejected: Rejected[] = [];
  let open = 0;
  for (const request of requests) {
    const answer = answerTo(request.key);
    const provenance = provenanceOf(request, answer, options);
    const reject = (rest: Omit<Rejected, typeof PROVENANCE_COLUMN>) =>
      rejected.push({ ...rest, [PROVENANCE_COLUMN]: provenance });
    if (answer === undefined) {
      const failure = failures.get(request.key);
      if (failure) reject({ reason: 'request_failed', detail: failure.message });
      else open++;
      continue;
    }
    for (const found of pairsIn(answer)) {
      if ('reason' in found) {
        reject({ ...found, content: answer.content });
        continue;
      }
      const broken = rules.brokenBy(found);
      if (broken) reject({ ...broken, ...found });
      else candidates.push({ ...found, provenance });
    }
  }
  const repetitions = repetitionsOf(candidates, options);
  const rows: Row[] = [];
  for (const [i, { question, answer, provenance }] of candidates.entries()) {
    const repetition = repetitions[i];
    if (repetition) rejected.push({ ...repetition, question, answer, [PROVENANCE_COLUMN]: provenance });
    else rows.push(rowOf({ question, answer }, provenance, options.systemPrompt));
  }
  return { rows, rejected, open };
}

function rowOf({ question, answer }: Pair, provenance: Provenance, systemPrompt: string | null): Row {
  return {
    messages: [
      ...(systemPrompt === null ? [] : [{ role: 'system', content: systemPrompt }]),
      { role: 'user', content: question },
      { role: 'assistant', content: answer },
    ],
    [PROVENANCE_COLUMN]: provenance,
  };
}

function provenanceOf(
  { chunk: { source, row, start, end }, messages, seed }: PlannedRequest,
  answer: Answer | undefined,
  { endpoint }: SynthesisOptions,
): Provenance {
  return {
    source,
    ...(row !== null && { row }),
    start,
    end,
    model: answer?.model ?? endpoint.model,
    prompt_sha256: sha256(JSON.stringify(messages)),
    seed,
  };
}
