/** Rows from documents, by asking a model: read, plan, ask, judge by rules, write. */
import { UserError } from '../errors.ts';
import type { SynthesisProgress, SynthesisResult } from '../protocol/synthesis.ts';
import { askAll, PAUSES, type Pauses } from './askAll.ts';
import { type ReadDocuments, readDocuments } from './documents.ts';
import type { RequestFailure } from './endpoint.ts';
import { endpointFailing } from './endpointErrors.ts';
import { estimateOf } from './estimate.ts';
import { SynthesisFolder } from './folder.ts';
import type { Answer, Journal } from './journal.ts';
import type { SynthesisOptions } from './options.ts';
import { type Plan, type PlannedRequest, planOf } from './plan.ts';
import { type Rows, rowsOf } from './rows.ts';

export interface SynthesisCall {
  readonly dryRun: boolean;
  /** Requests that are asked first, to measure the others. */
  readonly samples: number;
  readonly overwrite: boolean;
  readonly apiKey: string | null;
  readonly pauses?: Pauses;
  /** Ends the asking; what was answered by then becomes rows. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SynthesisProgress) => void;
}

/**
 * The same recipe, documents and answers give the same rows, in whatever order the answers came and however often this was
 * stopped or killed: answers are kept as they come, and all else is made of them anew.
 * @throws UserError
 */
export async function synthesize(options: SynthesisOptions, call: SynthesisCall): Promise<SynthesisResult> {
  const read = await readDocuments(options.sources);
  const plan = planOf(read.documents, options);
  const folder = new SynthesisFolder(options.output);
  if (call.dryRun && call.samples === 0 && !folder.hasAnswers) return estimated(options, read, plan, () => undefined);
  if (!call.dryRun && !call.overwrite) await folder.refuseForeignOutput();
  const lock = folder.lock();
  try {
    const journal = folder.openJournal();
    try {
      const failures = await askInTurn(options, plan.requests, journal, call);
      const answerTo = (key: string) => journal.get(key);
      if (call.dryRun) return estimated(options, read, plan, answerTo);
      const made = rowsOf(plan.requests, answerTo, failures, options);
      await folder.write(made.rows, made.rejected);
      if (made.rows.length === 0 && made.open === 0) throw noRows(made, folder, failures);
      return {
        ...estimated(options, read, plan, answerTo),
        state: made.open > 0 ? 'stopped' : 'finished',
        failed: failures.size,
        output: made.rows.length > 0 ? options.output : null,
        rows: made.rows.length,
        rejected: countsOf(made),
        rejectedFile: made.rejected.length > 0 ? folder.rejectedFile : null,
      };
    } finally {
      journal.close();
    }
  } finally {
    lock.release();
  }
}

/** Samples, then, unless it is a dry run, all others. */
async function askInTurn(
  options: SynthesisOptions,
  requests: readonly PlannedRequest[],
  journal: Journal,
  { dryRun, samples, apiKey, pauses = PAUSES, signal, onProgress }: SynthesisCall,
): Promise<Map<string, RequestFailure>> {
  const { endpoint } = options;
  const counts = { failed: 0, retries: 0, promptTokens: 0, completionTokens: 0 };
  const before = requests.filter(({ key }) => journal.get(key) !== undefined).length;
  let answered = before;
  let phase: SynthesisProgress['phase'] = 'samples';
  let estimate: SynthesisProgress['estimate'] = null;
  const report = () => onProgress({ phase, answered, requests: requests.length, ...counts, estimate });
  const asking = {
    endpoint,
    apiKey,
    journal,
    pauses,
    signal,
    hasAnswered: () => answered > before,
    onAnswer: ({ promptTokens, completionTokens }: Answer) => {
      answered++;
      counts.promptTokens += promptTokens ?? 0;
      counts.completionTokens += completionTokens ?? 0;
      report();
    },
    onRetry: () => {
      counts.retries++;
      report();
    },
    onFailure: () => {
      counts.failed++;
      report();
    },
  };
  const first = spread(
    requests.filter(({ key }) => journal.get(key) === undefined),
    samples,
  );
  report();
  const failures = await askAll(first, asking);
  const [failure] = failures.values();
  if (failure && failures.size === first.length) throw endpointFailing(failure, endpoint, failures.size);
  if (dryRun || signal.aborted) return failures;
  phase = 'asking';
  estimate = estimateOf(requests, (key) => journal.get(key), options);
  report();
  const others = requests.filter(({ key }) => !failures.has(key));
  return new Map([...failures, ...(await askAll(others, asking))]);
}

/** So many of them, evenly over all. */
function spread<T>(all: readonly T[], count: number): T[] {
  const step = all.length / Math.min(count, all.length);
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor(i * step)] as T);
}

function estimated(
  options: SynthesisOptions,
  { documents, passedOver, empty }: ReadDocuments,
  { chunks, requests }: Plan,
  answerTo: (key: string) => Answer | undefined,
): SynthesisResult {
  const estimate = estimateOf(requests, answerTo, options);
  return {
    state: 'estimated',
    documents: documents.length,
    passedOver,
    empty,
    chunks,
    requests: requests.length,
    answered: requests.length - estimate.requests,
    failed: 0,
    output: null,
    rows: 0,
    rejected: {},
    rejectedFile: null,
    estimate,
  };
}

function countsOf({ rejected }: Rows): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of rejected) counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

function noRows(made: Rows, folder: SynthesisFolder, failures: ReadonlyMap<string, RequestFailure>): UserError {
  const reasons = Object.entries(countsOf(made)).map(([reason, count]) => `${count} ${reason}`);
  return new UserError({
    what: `nothing that was answered became a row: ${reasons.join(', ')}`,
    where: folder.rejectedFile,
    next:
      failures.size > 0
        ? 'look at the server, then give the same command again'
        : 'look at what was said there, then change prompt, filters or model; what was answered is not asked again',
    code: 'no_rows_made',
  });
}
