/** Rows from documents or from other rows, by asking a model: read, plan, ask, keep the rules, judge, write. */
import { PROVENANCE_COLUMN } from '../datasets/provenance.ts';
import { UserError } from '../errors.ts';
import type { SynthesisResult } from '../protocol/synthesis.ts';
import { Asker, type AskerOptions } from './asker.ts';
import { type Candidate, candidatesOf, type Rejected } from './candidates.ts';
import { planDocuments } from './documentRequests.ts';
import type { RequestFailure } from './endpoint.ts';
import { estimateOf } from './estimate.ts';
import { SynthesisFolder } from './folder.ts';
import type { Answer, Journal } from './journal.ts';
import { judgedBy, judgements } from './judge.ts';
import type { SynthesisOptions } from './options.ts';
import { eachOnce, type Plan } from './plan.ts';
import { planRows } from './rowRequests.ts';

export interface SynthesisCall extends AskerOptions {
  readonly dryRun: boolean;
  /** Requests that are asked first, to measure the others. */
  readonly samples: number;
  readonly overwrite: boolean;
  readonly apiKeys: { readonly rows: string | null; readonly judge: string | null };
}

/**
 * The same recipe, sources and answers give the same rows, in whatever order the answers came and however often this was
 * stopped or killed: answers are kept as they come, and all else is made of them anew.
 * @throws UserError
 */
export async function synthesize(options: SynthesisOptions, call: SynthesisCall): Promise<SynthesisResult> {
  const plan = await (options.task === 'question_answer' ? planDocuments : planRows)(options);
  const folder = new SynthesisFolder(options.output);
  if (call.dryRun && call.samples === 0 && !folder.hasAnswers) return estimated(options, plan, () => undefined);
  if (!call.dryRun && !call.overwrite) await folder.refuseForeignOutput();
  const lock = folder.lock();
  try {
    const journal = folder.openJournal();
    try {
      const answerTo = (key: string) => journal.get(key);
      if (call.dryRun) {
        await new Asker(journal, call).samples(plan.requests, call.samples, options.endpoint, call.apiKeys.rows);
        return estimated(options, plan, answerTo);
      }
      const made = await make(options, plan, journal, call);
      await folder.write(made.rows.map(rowOf), made.rejected);
      if (made.rows.length === 0 && made.open === 0) throw noRows(made, folder);
      return {
        ...estimated(options, plan, answerTo),
        state: made.open > 0 ? 'stopped' : 'finished',
        failed: made.failed,
        output: made.rows.length > 0 ? options.output : null,
        rows: made.rows.length,
        rejected: countsOf(made.rejected),
        rejectedFile: made.rejected.length > 0 ? folder.rejectedFile : null,
      };
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

interface Made {
  readonly rows: readonly Candidate[];
  readonly rejected: readonly Rejected[];
  /** Questions, also to the judge, that are still to be asked. */
  readonly open: number;
  readonly failed: number;
}

async function make(options: SynthesisOptions, plan: Plan, journal: Journal, call: SynthesisCall): Promise<Made> {
  const { endpoint, judge } = options;
  const asker = new Asker(journal, call);
  const answerTo = (key: string) => journal.get(key);
  let failures: Map<string, RequestFailure> = await asker.samples(
    plan.requests,
    call.samples,
    endpoint,
    call.apiKeys.rows,
  );
  failures = await asker.all('asking', plan.requests, endpoint, call.apiKeys.rows, failures);
  const { candidates, rejected, open } = candidatesOf(plan, answerTo, failures, options);
  if (judge === null) return { rows: candidates, rejected, open, failed: failures.size };
  const questions = judgements(candidates, judge, options);
  const unjudged = await asker.all('judging', eachOnce(questions), judge.endpoint, call.apiKeys.judge);
  const judged = judgedBy(candidates, questions, answerTo, unjudged, judge);
  return {
    rows: judged.kept,
    rejected: [...rejected, ...judged.rejected],
    open: open + judged.open,
    failed: failures.size + unjudged.size,
  };
}

const rowOf = ({ messages, provenance }: Candidate) => ({ messages, [PROVENANCE_COLUMN]: provenance });

function estimated(
  options: SynthesisOptions,
  { sources, chunks, repeated, passedOver, empty, requests }: Plan,
  answerTo: (key: string) => Answer | undefined,
): SynthesisResult {
  const estimate = estimateOf(requests, answerTo, options.endpoint);
  const rowsOfAnswer = options.task === 'question_answer' ? options.pairsPerChunk : 1;
  return {
    state: 'estimated',
    sources,
    chunks,
    repeated,
    passedOver,
    empty,
    requests: requests.length,
    answered: requests.length - estimate.requests,
    judgements: options.judge === null ? 0 : requests.length * rowsOfAnswer,
    failed: 0,
    output: null,
    rows: 0,
    rejected: {},
    rejectedFile: null,
    estimate,
  };
}

function countsOf(rejected: readonly Rejected[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of rejected) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function noRows({ rejected, failed }: Made, folder: SynthesisFolder): UserError {
  const reasons = Object.entries(countsOf(rejected)).map(([reason, count]) => `${count} ${reason}`);
  return new UserError({
    what: `nothing that was answered became a row: ${reasons.join(', ')}`,
    where: folder.rejectedFile,
    next:
      failed > 0
        ? 'look at the server, then give the same command again'
        : 'look at what was said there, then change prompt, filters or model; what was answered is not asked again',
    code: 'no_rows_made',
  });
}
