import type { RunEvent } from '../protocol/events.ts';
import { initialStatus, type Status, statusAfter } from '../protocol/status.ts';

/** What has to be known of a run's past to write on it: a fold over its events, of which none is kept but the last. */
export class RunHistory {
  #status: Status;
  #last: RunEvent | undefined;
  #wasStarted = false;
  #recipeSha256: string | undefined;
  /** Per step, what still counts: a later launch that repeats a step starts it anew. */
  readonly #samples = new Map<number, number>();
  readonly #checkpoints = new Map<number, string | undefined>();

  constructor(id: string) {
    this.#status = initialStatus(id, id, new Date().toISOString());
  }

  add(event: RunEvent): void {
    this.#status = statusAfter(this.#status, event);
    this.#last = event;
    switch (event.type) {
      case 'run_created':
      case 'recipe_changed':
        this.#recipeSha256 = event.recipeSha256;
        break;
      case 'started':
        this.#wasStarted = true;
        break;
      case 'resumed':
        for (const perStep of [this.#samples, this.#checkpoints]) {
          for (const step of perStep.keys()) if (step > event.fromStep) perStep.delete(step);
        }
        break;
      case 'sample':
        this.#samples.set(event.step, this.answeredSamples(event.step) + 1);
        break;
      case 'checkpoint':
        this.#checkpoints.set(event.step, event.sha256);
        break;
    }
  }

  get status(): Status {
    return this.#status;
  }

  get last(): RunEvent | undefined {
    return this.#last;
  }

  /** An earlier launch got as far as its first step. */
  get wasStarted(): boolean {
    return this.#wasStarted;
  }

  /** Of recipe.resolved.yaml, as the events have it. */
  get recipeSha256(): string | undefined {
    return this.#recipeSha256;
  }

  answeredSamples(step: number): number {
    return this.#samples.get(step) ?? 0;
  }

  /** SHA-256 of the checkpoint's COMPLETE as it was recorded; undefined where a kill came before the event. */
  checkpointSha256(step: number): string | undefined {
    return this.#checkpoints.get(step);
  }
}
