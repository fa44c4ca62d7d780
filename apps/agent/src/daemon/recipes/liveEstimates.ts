/**
 * Estimates while recipes are written, one at a time: however many people look at a recipe, one process estimates its text,
 * until the last of them has left.
 */
import { UserError } from '@anneal/core/errors';
import type { Estimate, EstimateRequest, LiveEstimate, PlannedMemory } from '@anneal/core/protocol/estimates';
import type { ResolvedRecipe } from '@anneal/core/recipe/resolve';
import { runApart } from '../../runner/runApart.ts';
import type { Context } from '../../service/context.ts';
import { eachChange } from '../../service/eachChange.ts';
import { hashOf } from '../auth/secrets.ts';

/** Data that are prepared without being asked for: a few seconds' work. */
const fewBytes = 32e6;

type Found =
  | Exclude<LiveEstimate, { stage: 'estimated' }>
  | { stage: 'estimated'; recipe: ResolvedRecipe; estimate: Estimate };

interface Shared {
  found: Found;
  error: unknown;
  readonly listeners: Set<() => void>;
  readonly abort: AbortController;
}

export class LiveEstimates {
  readonly #context: Context;
  readonly #mostBytesPrepared: number;
  readonly #shared = new Map<string, Shared>();
  /** Ends when the last one that was begun has. */
  #turn: Promise<void> = Promise.resolve();

  constructor(context: Context, mostBytesPrepared = fewBytes) {
    this.#context = context;
    this.#mostBytesPrepared = mostBytesPrepared;
  }

  /**
   * What is known so far, again and again until there is nothing more.
   * @param prepare the data as well, however large they are
   * @throws what an estimate throws
   */
  async *watch(path: string, text: string, prepare: boolean, signal: AbortSignal): AsyncGenerator<Found> {
    const key = hashOf([path, text, String(prepare)].join('\n'));
    const shared = this.#shared.get(key) ?? this.#begin(key, path, text, prepare);
    const listen = (listener: () => void) => {
      shared.listeners.add(listener);
      return () => {
        shared.listeners.delete(listener);
        if (shared.listeners.size === 0) this.#end(key, shared);
      };
    };
    for await (const _ of eachChange(listen, signal)) {
      if (shared.error !== undefined) throw shared.error;
      // It may be another one when this goes on.
      const { found } = shared;
      yield found;
      if (found.stage === 'estimated' || found.stage === 'unprepared') return;
    }
  }

  #begin(key: string, path: string, text: string, prepare: boolean): Shared {
    const abort = new AbortController();
    const shared: Shared = { found: { stage: 'waiting' }, error: undefined, listeners: new Set(), abort };
    this.#shared.set(key, shared);
    const request = { recipe: path, text, ...(prepare ? {} : { mostBytesPrepared: this.#mostBytesPrepared }) };
    this.#turn = this.#turn.then(() => this.#estimate(shared, request));
    return shared;
  }

  #end(key: string, shared: Shared): void {
    shared.abort.abort();
    if (this.#shared.get(key) === shared) this.#shared.delete(key);
  }

  async #estimate(shared: Shared, request: EstimateRequest): Promise<void> {
    const { signal } = shared.abort;
    if (signal.aborted) return;
    const tell = (found: Found) => {
      shared.found = found;
      for (const listener of shared.listeners) listener();
    };
    tell({ stage: 'planning' });
    let planned: PlannedMemory | null = null;
    try {
      const work = runApart('estimate', this.#context, request, signal);
      for (;;) {
        const { value, done } = await work.next();
        if (done) return tell({ stage: 'estimated', ...value });
        if (value.phase === 'planned') planned = value;
        const { phase: stage } = value;
        tell(stage === 'preparing' ? { stage, ...value } : { stage: 'planning' });
      }
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof UserError && error.code === 'data_not_prepared')
        return tell({ stage: 'unprepared', error: error.toJSON(), planned });
      shared.error = error;
      for (const listener of shared.listeners) listener();
    }
  }
}
