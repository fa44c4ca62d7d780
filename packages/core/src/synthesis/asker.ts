/** Asking in stages, with one account of how far it is. */
import type { SynthesisProgress } from '../protocol/synthesis.ts';
import { askAll, PAUSES, type Pauses } from './askAll.ts';
import type { RequestFailure } from './endpoint.ts';
import { endpointFailing } from './endpointErrors.ts';
import { estimateOf } from './estimate.ts';
import type { Answer, Journal } from './journal.ts';
import type { EndpointOptions } from './options.ts';
import type { PlannedQuestion } from './plan.ts';

export interface AskerOptions {
  readonly pauses?: Pauses | undefined;
  /** Ends the asking, without an error. */
  readonly signal: AbortSignal;
  readonly onProgress: (progress: SynthesisProgress) => void;
}

export class Asker {
  readonly #journal: Journal;
  readonly #options: AskerOptions;
  /** Addresses that have answered this time. */
  readonly #heard = new Set<string>();
  readonly #counts = { failed: 0, retries: 0, promptTokens: 0, completionTokens: 0 };

  constructor(journal: Journal, options: AskerOptions) {
    this.#journal = journal;
    this.#options = options;
  }

  /**
   * Asks some of the questions, evenly over all, then says what the others will take.
   * @throws UserError `endpoint_failing` where each of them fails, and those of `askAll`
   */
  async samples(
    questions: readonly PlannedQuestion[],
    count: number,
    endpoint: EndpointOptions,
    apiKey: string | null,
  ): Promise<Map<string, RequestFailure>> {
    const open = questions.filter(({ key }) => this.#journal.get(key) === undefined);
    const first = spread(open, count);
    const failures = await this.#ask('samples', questions, first, endpoint, apiKey);
    const [failure] = failures.values();
    if (failure && failures.size === first.length) throw endpointFailing(failure, endpoint, failures.size);
    return failures;
  }

  /** Asks all that have no answer yet. @param failed those that were asked already, without one @returns them and those that fail now */
  async all(
    phase: 'asking' | 'judging',
    questions: readonly PlannedQuestion[],
    endpoint: EndpointOptions,
    apiKey: string | null,
    failed: ReadonlyMap<string, RequestFailure> = new Map(),
  ): Promise<Map<string, RequestFailure>> {
    const others = questions.filter(({ key }) => !failed.has(key));
    return new Map([...failed, ...(await this.#ask(phase, questions, others, endpoint, apiKey))]);
  }

  async #ask(
    phase: SynthesisProgress['phase'],
    all: readonly PlannedQuestion[],
    some: readonly PlannedQuestion[],
    endpoint: EndpointOptions,
    apiKey: string | null,
  ): Promise<Map<string, RequestFailure>> {
    const counts = this.#counts;
    const estimate = phase === 'samples' ? null : estimateOf(all, (key) => this.#journal.get(key), endpoint);
    let answered = all.filter(({ key }) => this.#journal.get(key) !== undefined).length;
    const report = () =>
      this.#options.onProgress({ phase, url: endpoint.url, answered, requests: all.length, ...counts, estimate });
    report();
    return askAll(some, {
      endpoint,
      apiKey,
      journal: this.#journal,
      pauses: this.#options.pauses ?? PAUSES,
      signal: this.#options.signal,
      hasAnswered: () => this.#heard.has(endpoint.url),
      onAnswer: ({ promptTokens, completionTokens }: Answer) => {
        this.#heard.add(endpoint.url);
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
    });
  }
}

/** So many of them, evenly over all. */
function spread<T>(all: readonly T[], count: number): T[] {
  const step = all.length / Math.min(count, all.length);
  return Array.from({ length: Math.min(count, all.length) }, (_, i) => all[Math.floor(i * step)] as T);
}
