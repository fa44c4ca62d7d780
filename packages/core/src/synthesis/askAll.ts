/** Asking many questions at a time, with patience, and keeping each answer at once. */
import { setTimeout as sleep } from 'node:timers/promises';
import { ask, type Question, RequestFailure } from './endpoint.ts';
import { endpointFailing, fatalError } from './endpointErrors.ts';
import type { Answer, KeptAnswers } from './journal.ts';
import type { EndpointOptions } from './options.ts';

export interface Pauses {
  /** Before the second try; they double from there. */
  readonly firstMilliseconds: number;
  /** No longer, whatever the server asks for. */
  readonly longestMilliseconds: number;
}

export const PAUSES: Pauses = { firstMilliseconds: 1000, longestMilliseconds: 60_000 };

/** So many requests that fail one after the other, each after all its tries: the server is broken. */
const MOST_FAILURES_IN_A_ROW = 10;

export interface AskOptions {
  readonly endpoint: EndpointOptions;
  readonly apiKey: string | null;
  readonly journal: KeptAnswers;
  readonly pauses: Pauses;
  readonly signal: AbortSignal;
  /** Whether the endpoint has answered this time: then one that cannot be reached will be back. */
  readonly hasAnswered: () => boolean;
  readonly onAnswer: (answer: Answer) => void;
  readonly onRetry: () => void;
  readonly onFailure: () => void;
}

export interface KeyedQuestion extends Question {
  readonly key: string;
}

/**
 * Asks what the journal has no answer to, and returns when all are answered, have failed, or `signal` is aborted: nothing
 * goes on in the background.
 * @returns why there is no answer, by key
 * @throws UserError `endpoint_refused`, `endpoint_not_reached`, `endpoint_failing`, `disk_full`
 */
export async function askAll(
  questions: readonly KeyedQuestion[],
  options: AskOptions,
): Promise<Map<string, RequestFailure>> {
  const { endpoint, journal, signal, hasAnswered } = options;
  const broken = new AbortController();
  const either = AbortSignal.any([signal, broken.signal]);
  const failures = new Map<string, RequestFailure>();
  let failedInARow = 0;
  const open = questions.filter(({ key }) => journal.get(key) === undefined).values();

  const settle = async (question: KeyedQuestion): Promise<void> => {
    try {
      const answer = await askPatiently(question, options, either);
      journal.append(question.key, answer);
      failedInARow = 0;
      options.onAnswer(answer);
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      const fatal = fatalError(error, endpoint, hasAnswered());
      if (fatal) throw fatal;
      failures.set(question.key, error);
      options.onFailure();
      if (++failedInARow >= MOST_FAILURES_IN_A_ROW) throw endpointFailing(error, endpoint, failedInARow);
    }
  };
  const work = async (): Promise<void> => {
    for (const question of open) {
      if (either.aborted) return;
      await settle(question);
    }
  };
  const workers = Array.from({ length: endpoint.concurrency }, () =>
    work().catch((error: unknown) => {
      // The first error ends the others, whose own are of that end.
      if (!either.aborted) broken.abort(error);
    }),
  );
  await Promise.all(workers);
  if (broken.signal.aborted) throw broken.signal.reason;
  return failures;
}

async function askPatiently(
  question: Question,
  { endpoint, apiKey, pauses, hasAnswered, onRetry }: AskOptions,
  signal: AbortSignal,
): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    try {
      return await ask(endpoint, question, { apiKey, signal });
    } catch (error) {
      if (!(error instanceof RequestFailure) || !error.mayPass || tries >= endpoint.retries) throw error;
      if (fatalError(error, endpoint, hasAnswered())) throw error;
      const pause = error.waitMilliseconds ?? pauses.firstMilliseconds * 2 ** tries;
      onRetry();
      await sleep(Math.min(pause, pauses.longestMilliseconds), undefined, { signal });
    }
  }
}
